//! Threads of 2ch.

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS};

use super::{import, thread};
use crate::sandbox::Sandbox;

fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    let (bytes, _, lossy) = encoding.encode(text);
    assert!(!lossy, "{text}");
    bytes.into_owned()
}

fn sjis(text: &str) -> Vec<u8> {
    encoded(text, SHIFT_JIS)
}

const DAT: &str = "名無しさん </b>◆ozOtJW9BFA <b><><>2003/03/02(日) 05:20:30.12 ID:abcdefgh BE:123-2BP(0)<> ネジは左か右か <br> &gt;&gt;2 が答える <>ネジ＠｀総合 &amp; スレ
名無しさん<>sage<>2003/03/02(日) 05:21:30<> <a href=\"../test/read.cgi/tech/1046550030/1\" target=\"_blank\">&gt;&gt;1</a> 右 <br> &gt&gt3-4, &gt;&gt;1,2 ＞＞9 &gt;引用 <>
あぼーん<>あぼーん<>あぼーん<>あぼーん<>あぼーん
けん★<>me@example.org<>03/03/02 05:23<>１行だけ<>
";

#[test]
fn a_dat_becomes_a_thread_whose_quotes_name_the_numbers_of_the_board() {
    let site = Sandbox::new("");
    // Another thread that began earlier and goes on longer takes numbers in between.
    let other = "a<><>2003/03/01(土) 00:00:00<>first<>Other\nb<><>2003/03/02(日) 05:21:00<>&gt;&gt;1 between<>\n";
    site.write("in/tech/dat/1046550030.dat", sjis(DAT));
    site.write("in/tech/dat/1046444400.dat", sjis(other));
    site.write("in/tech/SETTING.TXT", sjis("BBS_TITLE=技術\nBBS_UNICODE=pass\n"));
    site.write("in/tech/subject.txt", "");
    let told = import(&site, &["2ch", "in"]);
    told.is_fine();
    assert_eq!(
        thread(&site, "tech/1"),
        "--- {\"no\": 1, \"at\": \"2003-02-28T15:00:00Z\", \"name\": \"a\", \"subject\": \"Other\"}\nfirst\n\n\
         --- {\"no\": 3, \"at\": \"2003-03-01T20:21:00Z\", \"name\": \"b\"}\n>>1 between\n"
    );
    assert_eq!(
        thread(&site, "tech/2"),
        "--- {\"no\": 2, \"at\": \"2003-03-01T20:20:30Z\", \"name\": \"名無しさん\", \"trip\": \"!ozOtJW9BFA\", \"subject\": \"ネジ,総合 & スレ\"}\n\
         ネジは左か右か\n>>4 が答える\n\n\
         --- {\"no\": 4, \"at\": \"2003-03-01T20:21:30Z\", \"name\": \"名無しさん\", \"sage\": true}\n\
         >>2 右\n>>5-6, >>2,>>4 ＞＞9 >引用\n\n\
         --- {\"no\": 5, \"at\": \"2003-03-01T20:21:30Z\", \"deleted\": true}\n\n\n\
         --- {\"no\": 6, \"at\": \"2003-03-01T20:23:00Z\", \"name\": \"けん★\"}\n１行だけ\n"
    );
    assert!(site.read("content/tech/board.yaml").contains("title: \"技術\"\n"));
    let lost = [
        ("poster ids", 1),
        ("BE numbers", 1),
        ("e-mail addresses", 1),
        ("quotes of posts that are not there", 1),
        ("posts without a time", 0),
    ];
    lost.iter().for_each(|(kind, count)| assert_eq!(told.lost(kind), *count, "{kind}: {}", told.summary));
    let redirects = site.read("redirects.txt");
    for line in [
        "/test/read.cgi/tech/1046550030 /tech/thread/2.html 301",
        "/test/read.cgi/tech/1046550030/ /tech/thread/2.html 301",
        "/test/read.cgi/tech/1046550030/l50 /tech/thread/2.html 301",
        "/test/read.cgi/tech/1046550030/4 /tech/thread/2.html#p6 301",
        "/test/read.cgi/tech/1046444400/2 /tech/thread/1.html#p3 301",
    ] {
        assert!(redirects.lines().any(|one| one == line), "{line}: {redirects}");
    }
}

#[test]
fn the_encoding_of_each_file_is_told_from_its_bytes() {
    let texts = [
        "名無しさん<><>2003/03/02(日) 05:20:30<>これはテストです。<br>ｶﾞﾀﾝ ｺﾞﾄﾝ<>半角ｶﾅ",
        "a<><>2003/03/02(日) 05:20:30<>ok<>日",
        "a<><>2003/03/02(日) 05:20:30<>plain ASCII but for the day<>b",
        "ﾅﾅｼ<>ｻｹﾞ<>2003/03/02(日) 05:20:30<>ｱｲｳｴｵ ｶｷｸｹｺ ｻｼｽｾｿ<>ﾃｽﾄ",
        "名無し<><>2003/03/02(日) 05:20:30<>薔薇 憂鬱 檸檬 鬱<>漢字",
        "名無し<><>2003/03/02(日) 05:20:30<>①②③ ㈱ Ⅳ 髙<>機種依存",
    ];
    for text in texts {
        let euc = EUC_JP.encode(text);
        let written = [sjis(text), euc.0.into_owned(), text.as_bytes().to_vec()];
        for (i, bytes) in written.into_iter().enumerate() {
            // Half-width kana and little else is the one thing that nobody could tell.
            if i == 1 && (text.starts_with("ﾅ") || euc.2) {
                continue;
            }
            let site = Sandbox::new("");
            site.write("in/1046550030.dat", bytes);
            import(&site, &["2ch", "in", "--board", "b"]).is_fine();
            let there = thread(&site, "b/1");
            let title = text.rsplit("<>").next().unwrap();
            assert!(there.contains(&format!("\"subject\": \"{title}\"")), "{i} {text}: {there}");
        }
    }
}

#[test]
fn dates_of_all_times_are_read() {
    let cases = [
        ("2003/03/02(日) 05:20:30.12 ID:abc", "2003-03-01T20:20:30Z"),
        ("02/01/09 12:00", "2002-01-09T03:00:00Z"),
        ("99/12/31 23:59", "1999-12-31T14:59:00Z"),
        ("2000/02/29（火） 00:00", "2000-02-28T15:00:00Z"),
        ("投稿日： 2001/09/11(火) 22:00", "2001-09-11T13:00:00Z"),
        ("2005年03月02日(水) 12時00分", "2005-03-02T03:00:00Z"),
        ("2010/08/12(木) 00:00:60", "2010-08-11T15:00:59Z"),
    ];
    for (date, at) in cases {
        let site = Sandbox::new("");
        site.write("in/5.dat", sjis(&format!("a<><>{date}<>x<>t\n")));
        import(&site, &["2ch", "in", "--board", "b"]);
        assert!(thread(&site, "b/1").contains(at), "{date}: {}", thread(&site, "b/1"));
    }
    // What is no date costs the time alone; the opening post has that of its file's name.
    for date in ["2005/01/01(土) NY:NY:NY.NY", "Over 1000 Thread", "", "2003/13/41(日) 05:20:30", "9999999/1/1 1:1"] {
        let site = Sandbox::new("");
        site.write("in/1046550030.dat", sjis(&format!("a<><>{date}<>x<>t\nb<><>{date}<>y<>\n")));
        let told = import(&site, &["2ch", "in", "--board", "b"]);
        assert_eq!(told.lost("posts without a time"), 1, "{date}");
        assert_eq!(thread(&site, "b/1").matches("2003-03-01T20:20:30Z").count(), 2, "{date}: {}", thread(&site, "b/1"));
    }
}

#[test]
fn the_raw_mode_of_shitaraba_and_lines_with_commas_are_read() {
    let site = Sandbox::new("");
    let raw = "1<><font color=#FF0000>管理人★</font><><>2011/07/18(月) 14:50:39<>テスト<>題<>???\n\
               4<>b<><>2011/07/18(月) 14:53:07<>&gt;&gt;1 と &gt;&gt;3<><>abc\n";
    site.write("in/1310968239.rawmode", encoded(raw, EUC_JP));
    site.write(
        "in/940000000.dat",
        sjis("名無し,sage,99/10/16 00:06,右＠｀左<br>二行目,題＠｀名\nb,,99/10/16 00:07,&gt;&gt;1,\n"),
    );
    let told = import(&site, &["2ch", "in", "--board", "b"]);
    told.is_fine();
    assert!(thread(&site, "b/1").contains("\"subject\": \"題,名\""), "{}", thread(&site, "b/1"));
    let there = thread(&site, "b/3");
    assert!(
        there.contains("\"name\": \"管理人★\", \"subject\": \"題\"") && there.contains("\n>>3 と ＞＞3\n"),
        "{there}"
    );
    assert_eq!(told.lost("poster ids"), 1);
}

#[test]
fn art_keeps_its_columns() {
    let site = Sandbox::new("");
    let art =
        ["　　　∧＿∧", "　　 （　´∀｀）　＜ *_* || `x`", "　　 （　　　　）", "　　　｜ ｜　|", "　　　（＿_）＿）"];
    let body = format!(" &gt;&gt;1 <br> {} <br> 見よ ", art.join(" <br> "));
    site.write("in/1.dat", sjis(&format!("a<><>2003/03/02(日) 05:20:30<>{body}<>t\n")));
    import(&site, &["2ch", "in", "--board", "b"]).is_fine();
    let tagged = format!("[aa]\n{}\n[/aa]", art.join("\n"));
    assert!(thread(&site, "b/1").contains(&format!(">>1\n{tagged}\n")), "{}", thread(&site, "b/1"));
    assert!(thread(&site, "b/1").ends_with("見よ\n"));
}

#[test]
fn a_broken_line_is_told_and_keeps_its_place() {
    let good = "a<><>2003/03/02(日) 05:20:30<>one<>t";
    let last = "z<><>2003/03/02(日) 05:25:30<>&gt;&gt;1 three<>";
    let cases: [(&[u8], &str); 6] = [
        (b"", "5.dat:2:1: the line is no post: it has no fields"),
        (b"no fields at all", "5.dat:2:1: the line is no post: it has no fields"),
        (b"a<>b<>c", "5.dat:2:1: the line is no post: it has 3 of 4 fields; it is left out"),
        (b"<html>", "5.dat:2:1: the line is no post"),
        (&[0, 0, 0], "5.dat:2:1: the line is no post"),
        (b"a<><>2003/03/02(?) 05:20:30<>\xFF\xFF<>", "5.dat:2:1: not all of the file is cp932"),
    ];
    for (line, told_as) in cases {
        let site = Sandbox::new("");
        site.write("in/b/dat/5.dat", [&sjis(good)[..], b"\n", line, b"\n", &sjis(last)].concat());
        site.write("in/b/dat/6.dat", sjis(good));
        let told = import(&site, &["2ch", "in"]);
        assert_eq!(told.code, 1, "{}", told.err);
        assert!(told.err.contains(told_as), "{told_as}: {}", told.err);
        let redirects = site.read("redirects.txt");
        assert!(redirects.contains("/test/read.cgi/b/5/3 "), "the third line is the third: {redirects}");
        assert!(thread(&site, "b/1").contains("three") && told.count("threads") == 2);
    }
}

#[test]
fn bad_files_are_told_and_the_others_go_on() {
    let good = sjis("a<><>2003/03/02(日) 05:20:30<>one<>t\n");
    let cases: [(&[u8], &str); 5] = [
        (b"", "m.dat: not a thread: the file is empty"),
        (b"{\"posts\":[]}", "m.dat: not a thread: no line has fields with `<>` between them"),
        (b"\x89PNG\r\n\x1A\n\0\0\0", "m.dat: not a thread: no line has fields"),
        (b"a,b,c,d,e\n1,2,3,4,5\n", "m.dat: not a thread: no line has fields"),
        ("a<><>2003/03/02(日) 05:20:30<>\u{1F529}<>t".as_bytes().split_last().unwrap().1, ""),
    ];
    for (bytes, told_as) in cases {
        let site = Sandbox::new("");
        site.write("in/a.dat", &good);
        site.write("in/m.dat", bytes);
        site.write("in/z.dat", &good);
        let told = import(&site, &["2ch", "in", "--board", "b"]);
        assert_eq!(told.code, i32::from(!told_as.is_empty()), "{}", told.err);
        assert!(told.err.contains(told_as), "{told_as}: {}", told.err);
        assert_eq!(told.count("threads"), 2 + u64::from(told_as.is_empty()));
    }
    // The same thread twice, and two gigabytes, which take no room on disk.
    let site = Sandbox::new("");
    site.write("in/b/dat/5.dat", &good);
    site.write("in/b/kako/5.dat", &good);
    std::fs::File::create(site.path("in/b/dat/9.dat")).unwrap().set_len(2_000_000_000).unwrap();
    let began = std::time::Instant::now();
    let told = import(&site, &["2ch", "in"]);
    assert!(told.err.contains("in/b/kako/5.dat: thread 5 came already, from `in/b/dat/5.dat`"), "{}", told.err);
    assert!(told.err.contains("9.dat: larger than 256 MB, which no thread is"), "{}", told.err);
    assert!(told.count("threads") == 1 && began.elapsed().as_secs() < 10);
}

#[test]
fn old_threads_have_their_pages_old_addresses_too() {
    let site = Sandbox::new("");
    site.write(
        "in/tech/kako/1046/10465/1046550030.dat",
        sjis("a<><>2003/03/02(日) 05:20:30<>one<>t\n停止しました。。。<>停止<>停止<>真・スレッドストッパー<>\n"),
    );
    import(&site, &["2ch", "in"]);
    assert!(site.read("redirects.txt").contains("/tech/kako/1046/10465/1046550030.html /tech/thread/1.html 301\n"));
    assert!(thread(&site, "tech/1").contains("\"locked\": true"));
}
