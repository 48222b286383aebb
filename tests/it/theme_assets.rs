//! Assets that a style sheet names, and the built-in theme's own: a style sheet and the font of text art.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nejiboard::model::theme::ThemeFile;
use nejiboard::render::{BadTheme, Theme};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The built-in theme with these assets beside its own.
fn compile(assets: &[(&str, &str)]) -> Result<Theme, BadTheme> {
    let folder = super::sandbox::Sandbox::empty();
    let mut files = nejiboard::store::theme::read(&folder.path("themes"), "default").expect("it is built in");
    for (name, text) in assets {
        let path = format!("assets/{name}");
        let file = ThemeFile { bytes: text.as_bytes().to_vec(), origin: PathBuf::from(&path) };
        files.files.insert(path, file);
    }
    Theme::compile(&files, &super::sandbox::english(&files), "/")
}

/// The path below `public/` of the asset `name`.
fn published(theme: &Theme, name: &str) -> String {
    let (stem, ending) = name.split_once('.').unwrap();
    let is_it = |path: &&str| {
        let hash = path.strip_prefix("assets/").and_then(|path| path.strip_prefix(stem)?.strip_prefix('.'));
        hash.and_then(|path| path.split_once('.')).is_some_and(|(hash, rest)| hash.len() == 16 && rest == ending)
    };
    theme.assets().find(is_it).unwrap_or_else(|| panic!("no {name}")).to_owned()
}

fn text(theme: &Theme, name: &str) -> String {
    String::from_utf8(theme.asset(&published(theme, name)).unwrap().to_vec()).unwrap()
}

/// The last segment of the name under which `name` is published.
fn file(theme: &Theme, name: &str) -> String {
    published(theme, name).rsplit('/').next().unwrap().to_owned()
}

#[test]
fn a_style_sheet_names_assets_by_what_they_are_published_as() {
    let sheet = "@import \"base.css\";@import url(fonts/face.css) print;\n\
        a { background: URL( 'fonts/a.woff2?x#iefix' ) } b { src: url(\"fonts/a.woff2\"), url(icon.svg#part) }";
    let face = "@font-face { src: url(./a.woff2), url(../icon.svg) }";
    let all = [("a.css", sheet), ("base.css", "p { margin: 0 }"), ("fonts/face.css", face), ("fonts/a.woff2", "font")];
    let theme = compile(&all).unwrap();
    let (base, face) = (file(&theme, "base.css"), file(&theme, "fonts/face.css"));
    let (font, icon) = (file(&theme, "fonts/a.woff2"), file(&theme, "icon.svg"));
    assert_eq!(
        text(&theme, "a.css"),
        format!(
            "@import \"{base}\";@import url(fonts/{face}) print;\n\
             a {{ background: URL( 'fonts/{font}?x#iefix' ) }} b {{ src: url(\"fonts/{font}\"), url({icon}#part) }}"
        )
    );
    assert_eq!(text(&theme, "fonts/face.css"), format!("@font-face {{ src: url(./{font}), url(../{icon}) }}"));
}

#[test]
fn what_is_not_the_themes_stays_as_it_is() {
    let sheet = "/* url(none.png) \" */ a { content: \"url(none.png)\"; b: url(data:image/png;base64,AA//) }\n\
        b { c: url(https://example.org/x.png) url(//example.org/x.png) url(/x.png) url(#shape) url('') url( ) }\n\
        c { content: 'it\\'s url(none.png)' } @import url(/x.css); @importance \"none.css\"; d { content: \"é";
    assert_eq!(text(&compile(&[("a.css", sheet)]).unwrap(), "a.css"), sheet);
}

#[test]
fn a_new_font_is_a_new_style_sheet() {
    let names = |font| {
        let theme =
            compile(&[("a.css", "a { src: url(b.css) }"), ("b.css", "b { src: url(f.woff2) }"), ("f.woff2", font)]);
        let theme = theme.unwrap();
        [published(&theme, "a.css"), published(&theme, "b.css"), published(&theme, "f.woff2")]
    };
    let (before, after) = (names("one"), names("two"));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
}

#[test]
fn a_style_sheet_that_names_what_is_not_there_is_refused() {
    for (sheet, told) in [
        ("p { margin: 0 }\nä { b: url(nön.png) }", "assets/a.css:2:12: the theme has no file `assets/nön.png`"),
        ("@import 'b.css'", "assets/a.css:1:10: the theme has no file `assets/b.css`"),
        ("b { c: url(\"sub/none.png", "assets/a.css:1:13: the theme has no file `assets/sub/none.png`"),
        ("@import 'a.css'", "assets/a.css:1:10: `assets/a.css` names itself, by way of others or at once"),
        ("@import 'd.css'", "assets/e.css:1:13: `assets/d.css` names itself, by way of others or at once"),
    ] {
        let ring = [("a.css", sheet), ("d.css", "@import url(e.css)"), ("e.css", "@import url(d.css)")];
        let with_ring = sheet.contains("d.css");
        let error = compile(if with_ring { &ring } else { &ring[..1] }).err().unwrap_or_else(|| panic!("{sheet}"));
        assert_eq!(error.to_string(), told, "{sheet}");
    }
}

#[test]
fn the_style_sheet_and_the_font_are_small() {
    let assets = root().join("themes/default/assets");
    let theme = compile(&[]).unwrap_or_else(|bad| panic!("{bad}"));
    let published = theme.assets().find(|path| path.ends_with(".css")).unwrap();
    let style = String::from_utf8(theme.asset(published).unwrap().to_vec()).unwrap();
    assert!(!style.contains("/*"));
    assert!(style.len() <= 20_000, "{} bytes", style.len());
    assert_eq!(style.matches('{').count(), style.matches('}').count());
    // The font of text art is all that it has fetched.
    assert_eq!(style.matches("url(").count(), 1);
    for fetch in ["@import", "//"] {
        assert!(!style.contains(fetch), "`{fetch}`");
    }
    let font = fs::metadata(assets.join("mona.woff2")).unwrap().len();
    assert!(font <= 100_000, "{font} bytes");
}

/// The signs of a font; `None` where the script cannot run.
fn signs(font: &Path) -> Option<BTreeSet<u32>> {
    let told = Command::new(root().join("scripts/art-font")).arg("--list").arg(font).output().ok()?;
    let text = String::from_utf8(told.stdout).unwrap();
    told.status.success().then(|| text.lines().map(|line| line.parse().unwrap()).collect())
}

#[test]
fn the_script_makes_the_font_that_is_here() {
    let script = root().join("scripts/art-font");
    let again = super::sandbox::Sandbox::empty().path("mona.woff2");
    let made = Command::new(&script).arg(&again).output();
    let made = made.map_err(|error| error.to_string());
    let told = made.map(|made| (made.status.success(), String::from_utf8_lossy(&made.stderr).into_owned()));
    match told {
        Ok((true, _)) => {}
        Ok((false, told)) if !told.contains("ModuleNotFoundError") && !told.contains("No such file") => {
            panic!("{told}")
        }
        told => return println!("the Debian packages of the script are absent: {told:?}"),
    }
    let here = signs(&root().join("themes/default/assets/mona.woff2")).unwrap();
    assert_eq!(Some(&here), signs(&again).as_ref());
    // Signs of faces, of boxes, of half width, and a wide space.
    assert!("´∀｀∧＿｜（ω・┌ｱﾆ　ЖΣ愛乂".chars().all(|sign| here.contains(&u32::from(sign))));
}
