#!/bin/sh
# Says whether this archive is what was signed. It needs nothing of those who wrote the archive: a POSIX
# shell with awk, sed, grep, od, cmp, fold, head, tail, sha256sum, base64 and mktemp, and openssl for the
# signatures. FORMAT.md, beside it, says what is looked at. It takes about 20 ms for a record.
#
# usage: sh verify.sh [-k KEYS] [LOG...]
#   LOG   the folder of a log, which has a file `checkpoint`; without one, all that are beside this file
#   KEYS  a file of the keys that you believe, one a line, as in log.vkey. Without it each log is held
#         against the key in its own folder: then nobody shows who has signed it.
# The exit code is 0 where all of them are what was signed, else 1.
set -u
LC_ALL=C
export LC_ALL
here=$(dirname "$0")
keys=
renew_years=10 # a signature should be made anew, by a kind that is trusted then

note() { [ ! -t 2 ] || printf '\r\033[K%s' "$*" >&2; }

refuse() {
    note
    printf '%s: NOT as signed: %s\n' "$log" "$*"
    exit 1
}

is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

# Bytes as hexadecimal in one line.
hex() { od -An -v -tx1 | tr -d ' \n'; }

# --- hashes ---

# What printf makes bytes of, from lines of hexadecimal: \ooo for each.
octal='
function octal(hex,    i, text) {
    for (i = 1; i < length(hex); i += 2)
        text = text sprintf("\\%03o", (index(digits, substr(hex, i, 1)) - 1) * 16 + index(digits, substr(hex, i + 1, 1)) - 1)
    return text
}
BEGIN { digits = "0123456789abcdef" }'

# The node above two: SHA-256 of the byte 1 and both. Reads nodes, a line each; what has no partner is left out.
above() {
    awk "$octal"'
        NR % 2 == 1 { left = $1 }
        NR % 2 == 0 { printf "printf '\''\\001%s%s'\'' | sha256sum\n", octal(left), octal($1) }' |
        sh | cut -c1-64
}

# The root of the tree of the first SIZE entries, of the complete nodes of each level.
root_of() {
    rest=$1 level=0 hash=
    [ "$rest" -gt 0 ] || { sha256sum </dev/null | cut -c1-64 && return; }
    while [ "$rest" -gt 0 ]; do
        if [ $((rest % 2)) -eq 1 ]; then
            node=$(sed -n "${rest}p" "$tmp/nodes.$level")
            if [ -z "$hash" ]; then hash=$node; else hash=$(printf '%s\n%s\n' "$node" "$hash" | above); fi
        fi
        rest=$((rest / 2)) level=$((level + 1))
    done
    echo "$hash"
}

# --- keys and checkpoints ---

# NAME and the key in $tmp/key.
id_of() { { printf '%s\n' "$1" && cat "$tmp/key"; } | sha256sum | cut -c1-8; }

# Which key the log is believed by: NAME+ID+BASE64 of a byte 1 and the 32 bytes of an Ed25519 key. All logs of a
# deployment, which is what stands before the last slash of their names, have one key.
choose_key() {
    [ -f "$log/checkpoint" ] || refuse "there is no log: a folder with a file 'checkpoint' would be one"
    origin=$(head -n 1 "$log/checkpoint" | tr -d '\000')
    if [ -n "$keys" ]; then
        key=$(awk -F+ -v log_name="$origin" '
            function deployment(name) { return name ~ /\// ? substr(name, 1, match(name, "/[^/]*$")) : name }
            $1 == log_name { found = $0; exit }
            deployment($1) == deployment(log_name) { found = $0 }
            END { print found }' "$keys")
        [ -n "$key" ] || refuse "none of the keys in $keys is of '$origin'"
    else
        key=$(head -n 1 "$log/log.vkey" | tr -d '\000')
    fi
    name=${key%%+*} rest=${key#*+}
    id=${rest%%+*}
    printf '%s' "${rest#*+}" | base64 -d >"$tmp/key" 2>/dev/null || refuse "its key is none"
    [ "$(head -c 1 "$tmp/key" | hex)" = 01 ] && [ "$(wc -c <"$tmp/key")" -eq 33 ] ||
        refuse "its key is none of Ed25519"
    [ "$(id_of "$name")" = "$id" ] || refuse "its key has another id"
    [ -z "$keys" ] || name=$origin id=$(id_of "$origin")
    # As RFC 8410 writes a public key.
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000' && tail -c 32 "$tmp/key"; } >"$tmp/public.der"
}

# A note: a text, an empty line, and a line `— NAME BASE64` of each signature. Leaves origin, size and root.
read_checkpoint() {
    [ -f "$1" ] || refuse "$1 is missing"
    sed '/^$/,$d' "$1" >"$tmp/text"
    sed '1,/^$/d' "$1" | awk -v name="$name" 'NF == 3 && $2 == name { print $3 }' >"$tmp/signatures"
    signed=
    while read -r encoded; do
        printf '%s' "$encoded" | base64 -d >"$tmp/signature" 2>/dev/null || continue
        [ "$(head -c 4 "$tmp/signature" | hex)" = "$id" ] || continue
        tail -c +5 "$tmp/signature" >"$tmp/bare"
        ! openssl pkeyutl -verify -pubin -inkey "$tmp/public.der" -keyform DER -rawin -in "$tmp/text" \
            -sigfile "$tmp/bare" >/dev/null 2>&1 || signed=yes
    done <"$tmp/signatures"
    [ -n "$signed" ] || refuse "$1: '$name' ($id) has not signed it"
    origin=$(sed -n 1p "$tmp/text") size=$(sed -n 2p "$tmp/text")
    root=$(sed -n 3p "$tmp/text" | base64 -d 2>/dev/null | hex)
    [ "$origin" = "$name" ] || refuse "$1: it is of '$origin'"
    is_number "$size" || refuse "$1: it has no size"
}

# --- entries ---

# The file of a tile or bundle: LEVEL NUMBER WIDTH. One that is not whole may stand in the whole one.
tile() {
    number=$(($2 / 1000)) path=$(printf %03d $(($2 % 1000)))
    while [ "$number" -gt 0 ]; do
        path=x$(printf %03d $((number % 1000)))/$path
        number=$((number / 1000))
    done
    path=$log/tile/$1/$path
    [ "$3" -eq 256 ] || [ ! -f "$path.p/$3" ] || path=$path.p/$3
    [ -f "$path" ] || refuse "$path is missing"
    echo "$path"
}

# Runs `$1 NUMBER WIDTH` for each tile of $2 things.
for_tiles() {
    at=0
    while [ "$at" -lt "$2" ]; do
        width=$(($2 - at))
        [ "$width" -le 256 ] || width=256
        "$1" $((at / 256)) "$width"
        at=$((at + 256))
    done
}

# A bundle has each entry after its size in two bytes. Leaves them as lines (| stands for a line break in one), and
# what hashes them.
read_bundle() {
    note "$log: entry $(($1 * 256))"
    path=$(tile entries "$1" "$2") || { echo "$path" && exit 1; }
    od -An -v -tu1 "$path" | tr -s ' \n' '\n\n' | awk -v width="$2" -v hashing="$tmp/hashing" '
        $1 == "" { next }
        have < 2 { size = size * 256 + $1; have++; if (have == 2) { left = size; text = ""; bytes = "" } }
        have > 2 || (have == 2 && started) {
            bytes = bytes sprintf("\\%03o", $1)
            text = text ($1 == 10 ? "|" : $1 >= 32 && $1 < 127 ? sprintf("%c", $1 + 0) : "?")
            left--
        }
        have == 2 { started = 1 }
        started && left == 0 {
            print text
            printf "printf '\''\\000%s'\'' | sha256sum\n", bytes >hashing
            have = size = started = 0
            if (++count == width) exit
        }
        END { if (count < width) exit 1 }' >>"$tmp/entries" || refuse "$path is cut or damaged"
    sh "$tmp/hashing" | cut -c1-64 >>"$tmp/nodes.0"
}

read_tile() {
    path=$(tile "$tile_level" "$1" "$2") || { echo "$path" && exit 1; }
    head -c $(($2 * 32)) "$path" | hex | fold -w 64 >>"$tmp/tiles"
    echo >>"$tmp/tiles"
}

# Every hash that is kept is that of what is below it, and the last is the root that was signed.
check_tree() {
    level=0 count=$size
    while [ "$count" -gt 1 ]; do
        above <"$tmp/nodes.$level" >"$tmp/nodes.$((level + 1))"
        level=$((level + 1)) count=$((count / 2))
    done
    tile_level=0 count=$size
    while [ "$count" -gt 0 ]; do
        : >"$tmp/tiles"
        for_tiles read_tile "$count"
        head -n "$count" "$tmp/nodes.$((8 * tile_level))" | cmp -s - "$tmp/tiles" ||
            refuse "tile/$tile_level: a hash is not that of what is below it"
        tile_level=$((tile_level + 1)) count=$((count / 256))
    done
    [ "$(root_of "$size")" = "$root" ] || refuse "the root of its tree is not the one that was signed"
}

# Every earlier checkpoint is one of the same log as it was then.
check_earlier() {
    for file in "$log"/checkpoints/*; do
        [ -e "$file" ] || continue
        read_checkpoint "$file"
        [ "$size" = "${file##*/}" ] || refuse "$file: it is of $size entries"
        [ "$size" -le "$all" ] || refuse "a log of $size entries was signed, and this one has $all: it was put back"
        [ "$(root_of "$size")" = "$root" ] || refuse "$file: the log does not begin with what was signed then"
        checkpoints=$((checkpoints + 1))
    done
}

# --- records ---

# From entries, for each: INDEX OFFSET SEGMENT AT SIZE SHA256 HEADER|- FRAME, the frame being what stands before
# the record in its segment: the count 1, and the size, as Avro writes numbers.
read_entries() {
    awk -v log_name="${name##*/}" '
        function bad(why) { print "BAD record " NR - 1 ": " why; exit 1 }
        function frame(size,    z, text) {
            text = "\\002"
            for (z = 2 * size; z >= 128; z = int(z / 128)) text = text sprintf("\\%03o", 128 + z % 128)
            return text sprintf("\\%03o", z)
        }
        {
            if ($0 !~ /^[{]"topic":"[A-Za-z0-9._-]+","partition":[0-9]+,"offset":[0-9]+,"timestamp":-?[0-9]+,"segment":[0-9]+,"at":[0-9]+,"size":[0-9]+,"sha256":"[0-9a-f]+"(,"header":"[0-9a-f]+")?[}]$/)
                bad("its entry is none")
            gsub(/["{}]/, "")
            split($0, part, ",")
            for (i in field) delete field[i]
            for (i = 1; i in part; i++) { split(part[i], pair, ":"); field[pair[1]] = pair[2] }
            for (i in part) delete part[i]
            segment = field["segment"]; at = field["at"]; before = frame(field["size"]); begins = ("header" in field)
            if (field["topic"] "-" field["partition"] != log_name) bad("its entry is of another log")
            if (NR > 1 && field["offset"] + 0 <= last + 0) bad("its offset does not come after the one before it")
            if (begins != (segment + 0 == NR - 1)) bad("its segment is none")
            if (!begins && end[segment] + length(before) / 4 != at + 0) bad("its place in its segment is none")
            end[segment] = at + field["size"] + 16; last = field["offset"]
            print NR - 1, last, segment, at, field["size"], field["sha256"], begins ? field["header"] : "-", before, field["timestamp"]
        }' "$tmp/entries" >"$tmp/records"
    ! grep '^BAD' "$tmp/records" >"$tmp/bad" || refuse "$(sed 's/^BAD //' "$tmp/bad")"
}

check_records() {
    while read -r index offset segment at bytes digest header frame timestamp; do
        [ $((index % 64)) -ne 0 ] || note "$log: record $index"
        file=$log/segments/$segment.avro
        [ -f "$file" ] || refuse "record $index: $file is missing"
        begins=$((at - ${#frame} / 4))
        if [ "$header" != - ]; then
            head -c "$begins" "$file" >"$tmp/header"
            [ "$(sha256sum <"$tmp/header" | cut -c1-64)" = "$header" ] ||
                refuse "the header of $file is not the one that was archived"
            tail -c 16 "$tmp/header" >"$tmp/sync.$segment"
        fi
        tail -c +$((begins + 1)) "$file" | head -c $((at - begins + bytes + 16)) >"$tmp/block"
        tail -c +$((at - begins + 1)) "$tmp/block" | head -c "$bytes" >"$tmp/record"
        [ "$(sha256sum <"$tmp/record" | cut -c1-64)" = "$digest" ] ||
            refuse "record $index: its bytes in $file are not those that were archived"
        # shellcheck disable=SC2059 # the frame is made of \ooo alone
        { printf "$frame" && cat "$tmp/record" "$tmp/sync.$segment"; } | cmp -s - "$tmp/block" ||
            refuse "record $index: what is around it in $file is damaged"
    done <"$tmp/records"
}

# Only a segment that goes on may have more than the entries speak of.
check_segments() {
    awk '{ end[$3] = $4 + $5 + 16 } END { for (i in end) print i, end[i] }' "$tmp/records" >"$tmp/ends"
    goes_on=$(sed -n 's/^segment \([0-9]*\) .*/\1/p' "$tmp/last")
    while read -r segment end; do
        beyond=$(($(wc -c <"$log/segments/$segment.avro") - end))
        [ "$beyond" -eq 0 ] || printf '%s\n' "$goes_on" | grep -qx "$segment" ||
            refuse "$log/segments/$segment.avro: $beyond bytes at its end that no entry speaks of"
        [ "$beyond" -eq 0 ] || printf '%s: %s bytes in segments/%s.avro are not signed yet\n' "$log" "$beyond" "$segment"
    done <"$tmp/ends"
    for file in "$log"/segments/*; do
        [ -e "$file" ] || continue
        segment=${file##*/}
        segment=${segment%.avro}
        is_number "$segment" || refuse "$file is no segment"
        [ "$segment" -ge "$all" ] || grep -q "^$segment " "$tmp/ends" || refuse "$file: no entry speaks of it"
    done
}

# --- the roll-up log ---

# Its entries are checkpoints of the logs beside it: each of them has it still, and is as long. That what it
# has is the log as it was then is shown where that log is verified.
check_told() {
    index=0
    while IFS='|' read -r told_name told_size told_root rest; do
        folder=$log/../${told_name##*/}
        is_number "$told_size" || refuse "entry $index is no checkpoint"
        file=$folder/checkpoints/$told_size
        [ -f "$file" ] && [ "$(sed -n '1p;3p' "$file")" = "$(printf '%s\n%s' "$told_name" "$told_root")" ] ||
            refuse "entry $index: $told_name had $told_size entries, and has no such checkpoint now"
        [ "$(sed -n 2p "$folder/checkpoint")" -ge "$told_size" ] ||
            refuse "entry $index: $told_name had $told_size entries, and has fewer now: it was put back"
        index=$((index + 1))
    done <"$tmp/entries"
}

# --- a log ---

say_age() {
    seconds=$((${1%???} + 0))
    years=$((($(date +%s) - seconds) / 31556952))
    printf '%s: its newest record is of %s, %s years ago\n' "$log" "$(date -u -d "@$seconds" +%Y-%m-%d)" "$years"
    [ "$years" -lt "$renew_years" ] ||
        printf '%s: its signature (Ed25519) may be as old. One of more than %s years should be renewed: FORMAT.md says how.\n' "$log" "$renew_years"
}

verify_log() {
    log=$1 checkpoints=0
    choose_key
    read_checkpoint "$log/checkpoint"
    cp "$tmp/text" "$tmp/last"
    all=$size
    : >"$tmp/entries"
    : >"$tmp/nodes.0"
    for_tiles read_bundle "$all"
    check_tree
    check_earlier
    what=entries
    if grep -q '^offset ' "$tmp/last"; then
        what=records
        read_entries
        check_records
        check_segments
    else # it is the roll-up log, and has no records
        check_told
    fi
    note
    printf '%s: as signed by %s: %s %s, %s checkpoints\n' "$log" "$name" "$all" "$what" "$checkpoints"
    [ "$what" = records ] || printf '%s: every log that it speaks of has the checkpoints that it was told of\n' "$log"
    [ "$what" = entries ] || [ "$all" -eq 0 ] || say_age "$(tail -n 1 "$tmp/records" | cut -d ' ' -f 9)"
    [ -n "$keys" ] || printf '%s: by the key in its own folder; who signed it is not shown\n' "$log"
}

[ "${1:-}" != -k ] || { keys=$2 && shift 2; }
[ $# -gt 0 ] || for file in "$here"/*/checkpoint; do set -- "$@" "${file%/checkpoint}"; done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
for folder in "$@"; do
    (verify_log "$folder") || failed=1
    rm -f "$tmp"/*
done
exit $failed
