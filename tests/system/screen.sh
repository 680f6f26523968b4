# SPDX-License-Identifier: MIT
# A guest's screen, to be sourced: its text, and its pixels over VNC.

# text NAME: what stands on the screen of a guest in text mode, a line a row:
# 80 characters with their colours, from where its memory is.
text() {
	local line cell row=
	xl qemu-monitor-command "$1" 'xp /2000hx 0xb8000' | tr -d '\r' |
		while read -r _ line; do
			for cell in $line; do
				cell=$((cell & 0xff))
				((cell >= 32 && cell < 127)) || cell=32
				printf -v cell '\\x%x' "$cell"
				printf -v cell '%b' "$cell"
				row+=$cell
				if [ ${#row} -eq 80 ]; then
					echo "${row%"${row##*[! ]}"}"
					row=
				fi
			done
		done
}

# shown NAME TEXT SECONDS: waits for it on the screen.
shown() {
	local i
	for ((i = 0; i < $3; i++)); do
		[[ "$(text "$1" 2>/dev/null)" == *"$2"* ]] && return 0
		nap 1
	done
	return 1
}

# The RFB protocol (RFC 6143), on descriptor 8.
take() { dd bs="$1" count=1 iflag=fullblock <&8 2>/dev/null; }
numbers() { take "$1" | od -An -v -tu1; }
# be16 HIGH LOW
be16() { echo $(($1 * 256 + $2)); }

hello() {
	local n
	take 12 >/dev/null
	printf 'RFB 003.008\n' >&8
	n=$(numbers 1)
	take $((n)) >/dev/null
	printf '\1' >&8 # no password
	take 4 >/dev/null
	printf '\1' >&8 # others may look, too
	# shellcheck disable=SC2207 # numbers
	n=($(numbers 24))
	take $((n[22] * 256 + n[23])) >/dev/null
	width=$(be16 "${n[0]}" "${n[1]}") height=$(be16 "${n[2]}" "${n[3]}")
}

# pixels PORT FILE: the screen, a byte a pixel (BBGGGRRR); says how many, and
# how many of them are not black.
pixels() {
	local width height n rects lit
	{ exec 8<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
	hello
	printf '\0\0\0\0\10\10\0\1\0\7\0\7\0\3\0\3\6\0\0\0' >&8 # the format
	printf '\2\0\0\1\0\0\0\0' >&8                           # as it is
	printf -v n '\\x%02x\\x%02x\\x%02x\\x%02x' $((width >> 8)) \
		$((width & 255)) $((height >> 8)) $((height & 255))
	printf '%b' "\\x03\\x00\\x00\\x00\\x00\\x00$n" >&8
	# shellcheck disable=SC2207
	n=($(numbers 4))
	rects=$((n[2] * 256 + n[3]))
	: >"$2"
	for (( ; rects > 0; rects--)); do
		# shellcheck disable=SC2207
		n=($(numbers 12))
		take $(($(be16 "${n[4]}" "${n[5]}") * $(be16 "${n[6]}" "${n[7]}"))) >>"$2"
	done
	exec 8>&-
	lit=$(tr -d '\0' <"$2" | wc -c)
	echo "$width x $height, $lit lit"
}
