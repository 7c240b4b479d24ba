/* SPDX-License-Identifier: MIT */
/*
 * What operation SHOW answers: a memfd that holds this header, the rows, and a heap of strings.
 *
 * A row is the public struct of glass.h for what was asked: ss glass_conn_info, stat glass_stat,
 * neigh glass_neigh_info, route glass_route_info, addr glass_addr_info, link glass_dev_info,
 * maddr glass_maddr_info, tunable glass_tunable, check glass_check; status is rows of struct
 * abi_pair. A pointer to a string in a row is an offset into the heap; 0 is NULL. The user of a
 * socket is the inode of its program's end (ss -p). The daemon copies and does not format: with
 * 100,000 connections that is the difference between 20 ms and a second without a stack.
 */
#ifndef GLASS_ABI_TABLE_H
#define GLASS_ABI_TABLE_H

#include <stdint.h>

struct abi_table {
	uint32_t magic; /* ABI_MAGIC */
	uint32_t row_bytes;
	uint64_t row_count; /* the rows follow this header */
	uint64_t strings_at, strings_bytes;
};

struct abi_pair {
	const char *key, *value;
};

#endif
