/* SPDX-License-Identifier: MIT */
/* cmocka, and what of the command the tests need to link. */
#ifndef UNIT_CTL_H
#define UNIT_CTL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/ctl/story.h"

#endif
