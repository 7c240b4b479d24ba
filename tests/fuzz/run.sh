#!/bin/sh
# SPDX-License-Identifier: MIT
# Looks for new failures with libFuzzer: run.sh frames|options [SECONDS [FOLDER]]. New inputs go to FOLDER (default: a
# temporary one); the corpus in the tree is only read. Needs clang.
set -eu
cd "$(dirname "$0")/../.."
target=${1:?usage: run.sh frames|options [SECONDS [FOLDER]]}
seconds=${2:-60}
folder=${3:-$(mktemp -d)}
clang=$(command -v clang || command -v clang-14) || {
	echo "run.sh: libFuzzer comes with clang, which is not installed: apt install clang" >&2
	exit 1
}
program=$(mktemp)
trap 'rm -f "$program"' EXIT
mkdir -p "$folder"
"$clang" -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Iinclude -o "$program" \
	"tests/fuzz/fuzz_$target.c" tests/dialogue/seg.c \
	src/base/*.c src/wire/*.c src/stack/*.c src/socket/*.c
echo "new inputs: $folder"
"$program" -max_total_time="$seconds" -max_len=1024 -timeout=20 -artifact_prefix="$folder/" "$folder" \
	"tests/fuzz/corpus/$target"
