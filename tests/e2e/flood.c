/* SPDX-License-Identifier: MIT */
/*
 * SYNs from forged addresses, straight onto a device: flood DEVICE STACK-IP PORT COUNT PER-SECOND.
 * The sources are those of 172.16/12, which nobody here has. The stack's MAC is asked of the
 * kernel's neighbour table. Prints how many were sent, and in which time.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct syn {
	uint8_t dst[6], src[6];
	uint16_t type;
	uint8_t ip[20], tcp[20], opt[20];
} __attribute__((packed));

static uint32_t random_state = 12345;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static uint32_t sum(uint32_t s, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i += 2)
		s += (uint32_t)(b[i] << 8 | b[i + 1]);
	return s;
}

static void put_sum(uint8_t *at, uint32_t s)
{
	uint16_t v;

	s = (s >> 16) + (s & 0xffff);
	s += s >> 16;
	v = htons((uint16_t)~s);
	memcpy(at, &v, 2);
}

static void put32(uint8_t *at, uint32_t v)
{
	v = htonl(v);
	memcpy(at, &v, 4);
}

/* mss 1460, sackOK, timestamps, wscale 7, as Linux */
static void build(struct syn *f, uint32_t from, uint32_t to, uint16_t port)
{
	static const uint8_t opt[20] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0,
					 1, 2, 0, 0,   0, 0, 1, 3,  3, 7 };
	static const uint8_t ip[20] = { 0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6 };

	memcpy(f->ip, ip, 20);
	memcpy(f->opt, opt, 20);
	put32(f->ip + 12, from);
	put32(f->ip + 16, to);
	put_sum(f->ip + 10, sum(0, f->ip, 20));
	memset(f->tcp, 0, 20);
	put32(f->tcp, (1024 + random32() % 60000) << 16 | port);
	put32(f->tcp + 4, random32());
	f->tcp[12] = 10 << 4;
	f->tcp[13] = 2;
	f->tcp[14] = 0xfa;
	put_sum(f->tcp + 16, sum(sum(6 + 40, f->ip + 12, 8), f->tcp, 40));
}

static int stack_mac(int fd, const char *device, const char *ip, uint8_t mac[6])
{
	struct arpreq r = { .arp_pa.sa_family = AF_INET };

	inet_pton(AF_INET, ip, &((struct sockaddr_in *)&r.arp_pa)->sin_addr);
	snprintf(r.arp_dev, sizeof(r.arp_dev), "%s", device);
	if (ioctl(fd, SIOCGARP, &r))
		return -1;
	memcpy(mac, r.arp_ha.sa_data, 6);
	return 0;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct syn f = { .src = { 2, 0, 0, 0, 0, 99 }, .type = htons(ETH_P_IP) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), inet = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned long count, rate, sent = 0;
	struct in_addr stack;
	double start = now_s();

	if (argc != 6 || fd < 0 || inet < 0 || inet_pton(AF_INET, argv[2], &stack) != 1) {
		fprintf(stderr, "usage: flood DEVICE STACK-IP PORT COUNT PER-SECOND\n");
		return 2;
	}
	if (stack_mac(inet, argv[1], argv[2], f.dst))
		return perror("flood: neighbour"), 1;
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	count = strtoul(argv[4], NULL, 10);
	rate = strtoul(argv[5], NULL, 10);
	while (sent < count) {
		build(&f, 0xac100000u | random32() % 0xfffff, ntohl(stack.s_addr),
		      (uint16_t)atoi(argv[3]));
		if (sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(f))
			sent++;
		while (sent % 64 == 0 && (double)sent > (now_s() - start) * (double)rate)
			usleep(200);
	}
	printf("%lu SYNs in %.2f s\n", sent, now_s() - start);
	return 0;
}
