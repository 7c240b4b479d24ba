#!/bin/bash
# SPDX-License-Identifier: MIT
# perl and bash: sockets as scripts have them. perl reads lines through its own buffers, and select(2)s on bit strings.
. "$(dirname "$0")/lib.sh"

download()
{
	"${on[@]}" perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(PeerAddr => "$ARGV[0]:8080", Timeout => 5) or die $@;
		print $s "GET /big HTTP/1.0\r\n\r\n";
		while (<$s>) { last if /^\r\n$/ }
		local $/;
		print <$s>' $HOST >"$D/o"
	same "$D/o"
}

# A child for each connection, as inetd's.
server()
{
	serve perl -MIO::Socket::INET -e '
		$SIG{CHLD} = "IGNORE";
		my $l = IO::Socket::INET->new(
			LocalAddr => $ARGV[0], LocalPort => 7020, Listen => 5, ReuseAddr => 1) or die;
		while (1) {
			my $c = $l->accept or next;
			next if fork;
			open(STDIN, "<&", $c); open(STDOUT, ">&", $c);
			exec "cat"; }' $STACK
	wait_for 10 on_glass 7020
	nc -N $STACK 7020 <"$WWW/big" >"$D/1" &
	nc -N $STACK 7020 <"$WWW/big" >"$D/2"
	wait $!
	same "$D/1"
	same "$D/2"
}

selects()
{
	"${on[@]}" perl -MIO::Socket::INET -MIO::Select -e '
		my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
		my $a = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $l->sockport) or die;
		my $b = $l->accept;
		my $s = IO::Select->new($b);
		die "readable" if $s->can_read(0.1);
		syswrite($a, "x" x 100000);
		my $n = 0;
		while ($n < 100000) { die "silent" unless $s->can_read(5); $n += sysread($b, my $d, 65536) }
		$a->shutdown(1);
		die "no end" unless $s->can_read(5) && sysread($b, my $d, 1) == 0;
		print "ok\n"' | grep -q ok
}

dev_tcp()
{
	"${on[@]}" bash -c "
		exec 3<>/dev/tcp/$HOST/8080
		printf 'GET /big HTTP/1.0\\r\\n\\r\\n' >&3
		cat <&3" | tail -c $BYTES >"$D/o"
	same "$D/o"
}

dev_udp()
{
	background socat "UDP-RECVFROM:7021,bind=$HOST,fork" EXEC:cat
	wait_for 10 listens_udp 7021
	"${on[@]}" bash -c "exec 3<>/dev/udp/$HOST/7021; echo hello >&3; exec head -n1 <&3" >"$D/o"
	grep -q hello "$D/o"
}

program perl perl -v
role "client, by lines" download
role "server: fork and exec" server
ROLE_BYTES=80
ROLE_DEVICE=lo
role "select" selects
ROLE_DEVICE=
PROGRAM=bash
role "/dev/udp" dev_udp
ROLE_BYTES=$BYTES
role "/dev/tcp" dev_tcp
done_testing
