#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SECONDS PROGRAM...: libFuzzer programs of this build, one after the other and each for so
# long, from the seeds of their replays and what earlier runs have found. All run, also after a failure.
seconds=$1
shift
failed=
for program in "$@"; do
	name=$(basename "$program" _fuzz)
	corpus=tests/fuzz/corpus/$name
	mkdir -p "$corpus"
	"${program%_fuzz}_replay" "$corpus" &&
		"$program" -max_total_time="$seconds" -max_len=2048 -verbosity=0 \
			-artifact_prefix="tests/fuzz/corpus/$name-" "$corpus" || failed="$failed $name"
done
[ -z "$failed" ] || { echo "failed:$failed; inputs are tests/fuzz/corpus/NAME-*"; exit 1; }
