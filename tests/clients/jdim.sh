#!/bin/sh
# A reader of 2ch in earnest: JDim opens a board of nejiboard, reads a thread and answers it.
#
#   tests/clients/jdim.sh [path of nejiboard]
#
# `PREFIX=/boards/` has the site stand below a path, `PORT` names another port than 8731.
#
# It needs jdim, xvfb, xdotool and curl (Debian's packages), and leaves a picture of the screen, `jdim.png`, in the
# current folder if ImageMagick is there. What JDim has fetched is compared with what was published, byte for byte.
set -eu

program=$(realpath "${1:-target/debug/nejiboard}")
site=127.0.0.1:${PORT:-8731}${PREFIX:-/}
folder=$(mktemp -d)
started=
here=$(pwd)

clean_up() {
    for process in $started; do kill -KILL "$process" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

fail() {
    echo "failed: $1" >&2
    command -v import >/dev/null && import -window root "$here/jdim.png" || true
    cat "$folder/serve.log" "$folder/jdim.log" >&2
    exit 1
}

# Waits, 20 seconds at most, until a command succeeds.
wait_for() {
    what=$1
    shift
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then
            echo "ok: $what"
            return
        fi
        sleep 0.2
    done
    fail "$what"
}

# A site with a board and a thread whose second line is post 3.
mkdir -p "$folder/site/content/tech"
cd "$folder/site"
printf 'title: Clients\nbase_url: http://%s\nformats: 2ch\n' "$site" > content/site.yaml
printf 'title: 技術\n' > content/tech/board.yaml
cat > content/tech/1.md <<'THREAD'
--- {"no": 1, "at": "2025-03-02T10:20:30Z", "name": "Neji", "trip": "!QuaW1SVuNo", "subject": "ねじの話"}
日本語も読めます。〜 ¥ 🍥

--- {"no": 3, "at": "2025-03-02T10:21:02Z", "sage": true}
>>1
is that good?
THREAD
printf -- '--- {"no": 2, "at": "2025-03-02T10:20:40Z"}\nanother thread\n' > content/tech/2.md
"$program" serve --listen "${site%%/*}" > "$folder/serve.log" 2>&1 &
started="$started $!"
wait_for "the board is served" curl -fs "http://${site}tech/subject.txt"

# A screen, and JDim with nothing but this board, which it takes for one of 2ch's kind as it is told so in `etc.txt`.
Xvfb -displayfd 3 -screen 0 1024x768x24 3> "$folder/display" > /dev/null 2>&1 &
started="$started $!"
wait_for "there is a screen" test -s "$folder/display"
DISPLAY=:$(cat "$folder/display")
export DISPLAY HOME="$folder/home" JDIM_CACHE="$folder/home/jdim" LANG=C.UTF-8 NO_AT_BRIDGE=1
mkdir -p "$JDIM_CACHE"
printf 'tech\nhttp://%stech/\ntech\n' "$site" > "$JDIM_CACHE/etc.txt"
printf 'url_bbsmenu = http://%sbbsmenu.html\ninstruct_tglart = 0\n' "$site" > "$JDIM_CACHE/jd.conf"
jdim -s -m "http://${site}tech/" > "$folder/jdim.log" 2>&1 &
started="$started $!"

kept="$JDIM_CACHE/${site}tech"
published="$folder/site/public/tech"
wait_for "JDim has the list of threads" test -s "$kept/subject.txt"
cmp "$kept/subject.txt" "$published/subject.txt" || fail "the list is another one"
wait_for "JDim has the board's settings" test -s "$kept/SETTING.TXT"

# The address above the board, then the thread.
xdotool mousemove 480 50 click --repeat 3 --delay 50 1
sleep 0.5
xdotool type --delay 20 "http://${site}test/read.cgi/tech/1/"
xdotool key Return
wait_for "JDim has the thread" cmp "$kept/1.dat" "$published/dat/1.dat"

# An answer: `w` opens the window, the button with the pencil sends what is typed there.
sleep 2
xdotool mousemove 480 450 click 1
sleep 0.5
xdotool key w
sleep 2
xdotool mousemove 300 200 click 1
sleep 0.5
xdotool type --delay 30 ">>2 hello from JDim"
sleep 0.5
xdotool mousemove 60 23 click 1
wait_for "the answer stands in the thread, and quotes the post on line 2" grep -q '^>>3 hello from JDim$' content/tech/1.md
# It has fetched the rest of the file by `Range`.
wait_for "JDim has the answer" cmp "$kept/1.dat" "$published/dat/1.dat"
command -v import >/dev/null && import -window root "$here/jdim.png"
echo "JDim reads and writes."
