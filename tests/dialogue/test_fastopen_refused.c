/* SPDX-License-Identifier: MIT */
/* TCP Fast Open (RFC 7413), the client: the data that went with the SYN does not arrive. */
#include "fastopen.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* The server does not know the cookie any more: the data goes at once with the third segment. */
DIALOGUE(fastopen_cookie_is_refused)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);
		wire_out(SYN, seq=0, len=300, cookie=1234567890123);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000, cookie=55);
		wire_out(PSH|ACK, seq=1, ack=1, len=300);
		counter(TCPFastOpenActiveFail, 1);
		check(!syn_data(d, c));
	T(80)	wire_in(ACK, seq=1, ack=301);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, cookie=55);
}

/* Only some of it was taken. */
DIALOGUE(fastopen_part_is_taken)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(40)	wire_in(SYN|ACK, seq=0, ack=101, mss=1000);	wire_out(PSH|ACK, seq=101, ack=1, len=200);
	T(80)	wire_in(ACK, seq=1, ack=301);
		counter(TCPFastOpenActive, 0);
		counter(TCPFastOpenActiveFail, 1);	/* as Linux counts: not all of it */
		check(!syn_data(d, c));
		app_send(c, 5);				wire_out(PSH|ACK, seq=301, len=5);
}

/* More than was ever sent is not believed. */
DIALOGUE(fastopen_acknowledged_too_much)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(40)	wire_in(SYN|ACK, seq=0, ack=302, mss=1000);	wire_out(RST, seq=302);
		dropped(TCP_SYN_SENT_ACK, 1);
		state(c, SYN-SENT);
}

/* Lost with its data: a plain one, the data after the handshake; and no option for a minute, two ... */
DIALOGUE(fastopen_black_hole)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, cookie=1234567890123);
	T(1000)						wire_out(RTX, seq=0, len=0, nofo);
	T(1040)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, len=300);
		counter(TCPFastOpenBlackhole, 1);
		counter(TCPFastOpenActiveFail, 1);
		wire_in(ACK, seq=1, ack=301);
		app_abort(c);				wire_out(RST|ACK);
	T(60000) app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, len=0, nofo);
		app_abort(c);
	T(61100) app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, cookie=1234567890123);
	T(62100)					wire_out(RTX, seq=0, len=0, nofo);
	T(62140) wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, len=300);
		app_abort(c);				wire_out(RST|ACK);
	T(182000) app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, nofo);
		app_abort(c);
	T(182200) app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(182240) wire_in(SYN|ACK, seq=0, ack=301, mss=1000);	wire_out(ACK, seq=301);
		app_abort(c);				wire_out(RST|ACK);
		counter(TCPFastOpenBlackhole, 2);
	/* It works again: the next loss counts as the first. */
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(183240)					wire_out(RTX, seq=0, len=0, nofo);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, len=300);
		app_abort(c);				wire_out(RST|ACK);
	T(243300) app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
}

/* A request for a cookie that gets lost, and the plain SYN after it; answered at at_ms + 1040. */
static void request_is_lost(struct dlg *d, struct app *c, uint64_t at_ms)
{
	T(at_ms) app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, fo);
	T(at_ms + 1000)					wire_out(RTX, seq=0, nofo);
	T(at_ms + 1040)
}

/* One may be chance, as of any SYN, and may be answered late; a second in a row closes the path. */
DIALOGUE(fastopen_request_is_lost)
{
		request_is_lost(d, c, 0);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(ACK, seq=1);
		counter(TCPFastOpenBlackhole, 0);
		app_abort(c);				wire_out(RST|ACK);
		request_is_lost(d, c, 2000);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000, cookie=77);	wire_out(ACK, seq=1);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, cookie=77);
		counter(TCPFastOpenBlackhole, 0);
}

DIALOGUE(fastopen_two_requests_are_lost)
{
	for (uint64_t at_ms = 0; at_ms < 4000; at_ms += 2000) {
		counter(TCPFastOpenBlackhole, 0);
		request_is_lost(d, c, at_ms);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(ACK, seq=1);
		app_abort(c);				wire_out(RST|ACK);
	}
		counter(TCPFastOpenBlackhole, 1);
		app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, nofo);
		app_abort(c);
	T(130000) app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, fo);
}

/* The SYN-ACK was lost, not the SYN: the plain one is answered, and the data was taken all the same. */
DIALOGUE(fastopen_syn_ack_is_lost)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(1000)						wire_out(RTX, seq=0, len=0, nofo);
	T(1040)	wire_in(SYN|ACK, seq=0, ack=301, mss=1000);	wire_out(ACK, seq=301, len=0);
		counter(TCPFastOpenActive, 1);
		counter(TCPFastOpenBlackhole, 0);
}

/* RFC 9293 3.5 figure 8 with data in the SYN: whoever does not take it gets it again. */
DIALOGUE(fastopen_simultaneous_open)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(10)	wire_in(SYN, seq=0, mss=1000);		wire_out(SYN|ACK, seq=0, ack=1, len=0);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, ack=1, len=300);
		state(c, ESTAB);
	T(80)	wire_in(ACK, seq=1, ack=301);
		app_send(c, 5);				wire_out(PSH|ACK, seq=301, len=5);
}

/* The server refuses altogether. */
DIALOGUE(fastopen_rst_answers_the_syn)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(40)	wire_in(RST|ACK, seq=0, ack=301);
		app_error(c, ECONNREFUSED);
		state(c, UNCONN);
}

/* The data of the SYN goes again as it was; it is no small segment that would hold back the rest. */
DIALOGUE(fastopen_data_goes_again)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 5000, 960);	wire_out(SYN, seq=0, len=960);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, ack=1, len=960);
		check(info_of(d, c).retrans == 1);
		app_send(c, 1500);			wire_out(ACK, seq=961, len=1000);
							wire_out(PSH|ACK, seq=1961, len=500);
	T(80)	wire_in(ACK, seq=1, ack=2461);
		check(info_of(d, c).retrans == 0);
}

/* RFC 7413 4.1.3.1: an ICMP error is a negative response. This one says what will pass. */
DIALOGUE(fastopen_syn_too_large)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 5000, 960);	wire_out(SYN, seq=0, len=960);
	T(10)	wire_in(ICMP, type=3, code=4, mtu=800, badseq);
		dropped(ICMP_QUOTE_SEQ, 1);
		counter(OutOfWindowIcmps, 1);
		wire_in(ICMP, type=3, code=4, mtu=800);	wire_out(RTX, seq=0, len=0, nofo);
		wire_in(ICMP, type=3, code=4, mtu=700);	/* lower still: what is out is plain */
	T(50)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(ACK, seq=1, ack=1, len=660);
							wire_out(PSH|ACK, seq=661, ack=1, len=300);
		counter(TCPFastOpenActiveFail, 1);
		counter(TCPFastOpenBlackhole, 0);
		check(!syn_data(d, c));
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 5000, 620);	wire_out(SYN, seq=0, len=620, cookie=1234567890123);
}
