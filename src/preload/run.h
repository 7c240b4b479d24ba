/* SPDX-License-Identifier: MIT */
/* `glass run`: called by src/ctl with argv[0] "run". Returns an exit status; on success it does not
 * return. */
#ifndef GLASS_PRELOAD_RUN_H
#define GLASS_PRELOAD_RUN_H

int glass_run(int argc, char **argv);

#endif
