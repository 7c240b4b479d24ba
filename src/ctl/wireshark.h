/* SPDX-License-Identifier: MIT */
/* What the files of "glass wireshark" share. */
#ifndef GLASS_CTL_WIRESHARK_H
#define GLASS_CTL_WIRESHARK_H

#include <stdbool.h>
#include <stdio.h>

/* wireshark_lua.c: writes the post-dissector. */
void wireshark_lua(FILE *to);
/* cmd_wireshark.c: does Wireshark find the fields? */
bool wireshark_installed(void);
/* wireshark_extcap.c: what Wireshark asks an extcap; argv after "--extcap". An exit code. */
int wireshark_extcap(int argc, char **argv);

#endif
