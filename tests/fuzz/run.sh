#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SECONDS PROGRAM...: libFuzzer programs of this build, each for so long and as many at a time as
# there are processors, from their seeds and what earlier runs have found. All run, also after a
# failure; what failed shows its end and the input. Closes with the sum.
if [ "$1" = one ]; then
	seconds=$2 program=$3
	name=$(basename "$program" _fuzz)
	corpus=tests/fuzz/corpus/$name
	mkdir -p "$corpus"
	rm -f "$corpus-"*-*
	if FUZZ_SEEDS=$corpus "$program" -max_total_time="$seconds" -max_len=2048 -timeout=20 -print_final_stats=1 \
		-artifact_prefix="$corpus-" "$corpus" >"$corpus.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$corpus.log")
		echo "PASS $name: $runs inputs in $seconds s, $(ls "$corpus" | wc -l) worth keeping"
		exit
	fi
	grep -v "^#[0-9]" "$corpus.log" | tail -n 60
	for input in "$corpus-"*-*; do
		[ -e "$input" ] || continue
		echo "$name, an input: $input"
		od -An -v -tx1 "$input"
	done
	echo "FAIL $name"
	exit
fi

seconds=$1
shift
log=tests/fuzz/corpus/all.log
mkdir -p tests/fuzz/corpus
printf '%s\n' "$@" | xargs -P "$(nproc 2>/dev/null || echo 1)" -n 1 "$0" one "$seconds" | tee "$log"
passed=$(grep -c '^PASS ' "$log")
failed=$(($# - passed))
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
