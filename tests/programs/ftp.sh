#!/bin/bash
# SPDX-License-Identifier: MIT
# vsftpd and lftp: a second connection for the data, opened by the client (passive) or by the server (active).
. "$(dirname "$0")/lib.sh"

configure()
{
	mkdir -p "$D/ftp/up" "$D/empty"
	cp "$WWW/big" "$D/ftp/big"
	chmod 777 "$D/ftp/up"
	cat >"$D/vsftpd.conf" <<-CONF
	listen=YES
	background=NO
	listen_address=$1
	listen_port=2121
	anonymous_enable=YES
	anon_root=$D/ftp
	anon_upload_enable=YES
	write_enable=YES
	connect_from_port_20=NO
	secure_chroot_dir=$D/empty
	seccomp_sandbox=NO
	ftp_username=daemon
	nopriv_user=nobody
	CONF
	chmod 755 "$D/ftp"
}

# address, passive or not; the words in front of lftp follow
fetches()
{
	local address=$1 passive=$2

	shift 2
	rm -f "$D/o" "$D/ftp/up/sent"
	timeout 40 "$@" lftp -c "set ftp:passive-mode $passive; set net:max-retries 1; set net:timeout 10;
		open ftp://$address:2121; get big -o $D/o; put -O up $WWW/big -o sent"
	same "$D/o"
	same "$D/ftp/up/sent"
}

server()
{
	configure $STACK
	serve vsftpd "$D/vsftpd.conf"
	wait_for 10 on_glass 2121
	fetches $STACK yes
	fetches $STACK no
}

client()
{
	configure $HOST
	background vsftpd "$D/vsftpd.conf"
	wait_for 10 listens 2121
	fetches $HOST yes "${on[@]}"
	fetches $HOST no "${on[@]}"
}

program lftp lftp --version
if command -v vsftpd >/dev/null; then
	role "passive and active" client
	PROGRAM=vsftpd
	role "passive and active" server
else
	role_skip "all" "no vsftpd here: tools/setup programs"
fi
done_testing
