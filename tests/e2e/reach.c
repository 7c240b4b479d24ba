/* SPDX-License-Identifier: MIT */
/*
 * By ways that are not the plain calls:
 *	reach ifaces			the devices, as every call tells them
 *	reach fetch ADDR PORT		an HTTP request by syscall(2)
 *	reach HOW PROGRAM ARG...	runs it without any environment; HOW: a function of exec(3),
 *or spawn, spawnp
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- devices ---- */

static const char *ip_of(const struct sockaddr *a)
{
	return a ? inet_ntoa(((const struct sockaddr_in *)(const void *)a)->sin_addr) : "none";
}

/* A device that nobody looks after has no carrier; else as the stack says. */
static unsigned flags_of(unsigned flags)
{
	return flags & ~(unsigned)(IFF_RUNNING | 0x10000);
}

static void list(void)
{
	struct ifaddrs *all;

	if (getifaddrs(&all))
		exit(1);
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		const struct sockaddr_ll *ll = (const void *)i->ifa_addr;

		if (i->ifa_flags & IFF_LOOPBACK || !i->ifa_addr ||
		    i->ifa_addr->sa_family == AF_INET6)
			continue;
		printf("%s flags %x ", i->ifa_name, flags_of(i->ifa_flags));
		if (i->ifa_addr->sa_family == AF_INET) {
			printf("addr %s ", ip_of(i->ifa_addr));
			printf("mask %s ", ip_of(i->ifa_netmask));
			printf("broadcast %s\n", ip_of(i->ifa_broadaddr));
		} else
			printf("index %d type %d mac %02x..%02x\n", ll->sll_ifindex, ll->sll_hatype,
			       ll->sll_addr[0], ll->sll_addr[5]);
	}
	freeifaddrs(all);
}

static void ask(int fd, const char *device)
{
	static const struct {
		unsigned long request;
		const char *name;
	} address[] = { { SIOCGIFADDR, "addr" },
			{ SIOCGIFNETMASK, "mask" },
			{ SIOCGIFBRDADDR, "broadcast" },
			{ SIOCGIFDSTADDR, "peer" } };
	struct ifreq r = { 0 };

	strcpy(r.ifr_name, device);
	for (unsigned i = 0; i < sizeof(address) / sizeof(address[0]); i++)
		printf("%s %s ", address[i].name,
		       ioctl(fd, address[i].request, &r) ? strerror(errno) : ip_of(&r.ifr_addr));
	printf("flags %x ",
	       ioctl(fd, SIOCGIFFLAGS, &r) ? 0 : flags_of((unsigned short)r.ifr_flags));
	printf("mtu %d ", ioctl(fd, SIOCGIFMTU, &r) ? -errno : r.ifr_mtu);
	printf("metric %d ", ioctl(fd, SIOCGIFMETRIC, &r) ? -errno : r.ifr_metric);
	printf("type %d ", ioctl(fd, SIOCGIFHWADDR, &r) ? -errno : r.ifr_hwaddr.sa_family);
	printf("mac %02x ", (unsigned char)r.ifr_hwaddr.sa_data[5]);
	printf("index %d ", ioctl(fd, SIOCGIFINDEX, &r) ? -errno : r.ifr_ifindex);
	memset(r.ifr_name, 0, sizeof(r.ifr_name));
	printf("name %s\n", ioctl(fd, SIOCGIFNAME, &r) ? strerror(errno) : r.ifr_name);
}

static int ifaces(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct if_nameindex *names = if_nameindex();
	struct ifconf c = { 0 };
	struct ifreq r[8];
	char name[IF_NAMESIZE];

	list();
	if (!names || ioctl(fd, SIOCGIFCONF, &c) || !c.ifc_len)
		return 1;
	c = (struct ifconf){ .ifc_len = sizeof(r), .ifc_req = r };
	if (ioctl(fd, SIOCGIFCONF, &c))
		return 1;
	for (unsigned i = 0; i < (unsigned)c.ifc_len / sizeof(r[0]); i++) {
		printf("%s %s: ", r[i].ifr_name, ip_of(&r[i].ifr_addr));
		if (strcmp(r[i].ifr_name, "lo") != 0)
			ask(fd, r[i].ifr_name);
		else
			puts("");
	}
	for (struct if_nameindex *i = names; i->if_index; i++)
		printf("%u %s %u %s\n", i->if_index, i->if_name, if_nametoindex(i->if_name),
		       if_indextoname(i->if_index, name));
	if_freenameindex(names);
	printf("no such: %u", if_nametoindex("nosuch"));
	printf(" %s\n", if_indextoname(77, name) ? name : strerror(errno));
	return 0;
}

/* ---- syscall(2) ---- */

static int fetch(const char *addr, const char *port)
{
	static const char request[] = "GET /small HTTP/1.0\r\n\r\n";
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0), one = 1, sum = 0;
	socklen_t size = sizeof(a);
	char bytes[512];
	long n;

	inet_aton(addr, &a.sin_addr);
	if (syscall(SYS_connect, fd, &a, sizeof(a)) || syscall(SYS_getsockname, fd, &a, &size) ||
	    syscall(SYS_setsockopt, fd, 6, 1, &one, sizeof(one)) ||
	    syscall(SYS_sendto, fd, request, sizeof(request) - 1, 0, NULL, 0) !=
		    sizeof(request) - 1)
		return 1;
	while ((n = syscall(SYS_recvfrom, fd, bytes, sizeof(bytes), 0, NULL, NULL)) > 0)
		sum += (int)n;
	printf("%s %s\n", ip_of((struct sockaddr *)&a), sum ? "answered" : "silent");
	return n < 0;
}

/* ---- exec(3) ---- */

static int spawn(const char *how, char **argv)
{
	char *none[] = { NULL };
	pid_t pid;
	int status, err = strcmp(how, "spawnp")
				  ? posix_spawn(&pid, argv[0], NULL, NULL, argv, none)
				  : posix_spawnp(&pid, argv[0], NULL, NULL, argv, none);

	if (err || waitpid(pid, &status, 0) != pid)
		return 1;
	return WEXITSTATUS(status);
}

static int run(const char *how, char **argv)
{
	char *none[] = { NULL };

	if (!strncmp(how, "spawn", 5))
		return spawn(how, argv);
	if (!strcmp(how, "execve"))
		execve(argv[0], argv, none);
	if (!strcmp(how, "execvpe"))
		execvpe(argv[0], argv, none);
	if (!strcmp(how, "fexecve"))
		fexecve(open(argv[0], O_RDONLY | O_CLOEXEC), argv, none);
	if (!strcmp(how, "execveat"))
		syscall(SYS_execveat, AT_FDCWD, argv[0], argv, none, 0);
	if (!strcmp(how, "execle"))
		execle(argv[0], argv[0], argv[1], argv[2], argv[3], NULL, none);
	clearenv();
	if (!strcmp(how, "execv"))
		execv(argv[0], argv);
	if (!strcmp(how, "execvp"))
		execvp(argv[0], argv);
	if (!strcmp(how, "execl"))
		execl(argv[0], argv[0], argv[1], argv[2], argv[3], NULL);
	if (!strcmp(how, "execlp"))
		execlp(argv[0], argv[0], argv[1], argv[2], argv[3], NULL);
	perror(how);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "ifaces"))
		return ifaces();
	if (argc == 4 && !strcmp(argv[1], "fetch"))
		return fetch(argv[2], argv[3]);
	return argc > 2 ? run(argv[1], argv + 2) : 2;
}
