#!/bin/bash
# SPDX-License-Identifier: MIT
# sshd, ssh, scp, sftp, rsync and git over ssh: a process for each connection, descriptors passed over exec.
. "$(dirname "$0")/lib.sh"

configure()
{
	[ -e "$LAB/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$LAB/key"
	cp "$LAB/key.pub" "$LAB/authorized"
	chmod 600 "$LAB/authorized"
	cat >"$D/sshd_config" <<-CONF
	ListenAddress $1:2222
	HostKey $LAB/key
	AuthorizedKeysFile $LAB/authorized
	StrictModes no
	UsePAM no
	PermitRootLogin yes
	PidFile none
	Subsystem sftp internal-sftp
	CONF
	options=(-i "$LAB/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
		-o LogLevel=ERROR -o BatchMode=yes)
}

sshd_on_glass()
{
	configure $STACK
	serve "$(command -v sshd)" -D -e -f "$D/sshd_config"
	wait_for 10 on_glass 2222
}

sshd_on_kernel()
{
	configure $HOST
	background "$(command -v sshd)" -D -e -f "$D/sshd_config"
	wait_for 10 listens 2222
}

server()
{
	sshd_on_glass
	ssh "${options[@]}" -p 2222 root@$STACK cat "$WWW/big" >"$D/o"
	same "$D/o"
	scp -q "${options[@]}" -P 2222 "$WWW/big" "root@$STACK:$D/up"
	same "$D/up"
}

client()
{
	sshd_on_kernel
	"${on[@]}" ssh "${options[@]}" -p 2222 root@$HOST "cat >$D/o; echo finished" <"$WWW/big" | grep -q finished
	same "$D/o"
}

copy()
{
	sshd_on_kernel
	"${on[@]}" scp -q "${options[@]}" -P 2222 "root@$HOST:$WWW/big" "$D/o"
	same "$D/o"
}

sync_client()
{
	sshd_on_kernel
	"${on[@]}" rsync -a -e "ssh ${options[*]} -p 2222" "root@$HOST:$WWW/" "$D/copy/"
	same "$D/copy/big"
}

sync_daemon()
{
	printf '[www]\npath = %s\nuse chroot = no\n' "$WWW" >"$D/rsyncd.conf"
	serve rsync --daemon --no-detach --port 8730 --config "$D/rsyncd.conf"
	wait_for 10 on_glass 8730
	rsync -a "rsync://$STACK:8730/www/" "$D/copy/"
	same "$D/copy/big"
}

repository()
{
	git init -q "$1"
	cp "$WWW/big" "$1"
	git -C "$1" add big
	git -C "$1" -c user.name=x -c user.email=x@y commit -qm big
}

git_ssh()
{
	sshd_on_kernel
	repository "$D/repo"
	GIT_SSH_COMMAND="ssh ${options[*]}" "${on[@]}" git clone -q "ssh://root@$HOST:2222$D/repo" "$D/clone"
	same "$D/clone/big"
}

git_http()
{
	repository "$D/repo"
	git -C "$D/repo" update-server-info
	background python3 -m http.server 8085 --bind $HOST --directory "$D"
	wait_for 10 listens 8085
	"${on[@]}" git clone -q http://$HOST:8085/repo/.git "$D/clone"
	same "$D/clone/big"
}

git_daemon()
{
	repository "$D/repo"
	serve git daemon --export-all --base-path="$D" --reuseaddr "$D"
	wait_for 10 on_glass 9418
	git clone -q git://$STACK/repo "$D/clone"
	same "$D/clone/big"
}

program ssh ssh -V
mkdir -p /run/sshd
if command -v sshd >/dev/null; then
	role "sshd: a command, scp" server
	role "ssh" client
	role "scp" copy
	if command -v rsync >/dev/null; then
		PROGRAM=rsync
		role "over ssh" sync_client
		role "daemon" sync_daemon
	fi
	PROGRAM=git
	role "clone over ssh" git_ssh
else
	role_skip "all" "no sshd here: tools/setup programs"
fi
PROGRAM=git
role "clone over http" git_http
role "daemon" git_daemon
done_testing
