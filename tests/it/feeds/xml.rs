//! XML, read as strictly as a reader of feeds does, as far as we write any: no processing instructions but the first line,
//! no comments, no declarations, and the five references that XML itself knows beside those by number.

/// An element with all that is in it.
#[derive(Debug)]
pub struct Element {
    /// Its name, with its prefix.
    pub name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    /// The value of an attribute; empty if there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The elements of this name in it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first element of this name; empty if there is none.
    pub fn text(&self, name: &str) -> String {
        self.all(name).next().map_or(String::new(), |child| child.text.clone())
    }

    /// Its own text.
    pub fn content(&self) -> &str {
        &self.text
    }
}

/// Reads a document, which begins as ours do.
pub fn parse(text: &str) -> Result<Element, String> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        return Err(format!("XML cannot hold {bad:?}"));
    }
    let rest =
        text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").ok_or("the first line is another one")?;
    let (root, rest) = element(rest)?;
    match rest.trim() {
        "" => Ok(root),
        more => Err(format!("something stands behind the root: {more}")),
    }
}

/// Reads an element, and gives what stands behind it.
fn element(text: &str) -> Result<(Element, &str), String> {
    let (tag, mut rest) = text.strip_prefix('<').and_then(|text| text.split_once('>')).ok_or("no tag")?;
    let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == ':') {
        return Err(format!("<{name}> is no name"));
    }
    let mut element =
        Element { name: name.to_owned(), attributes: Vec::new(), children: Vec::new(), text: String::new() };
    while !attributes.is_empty() {
        let (key, value) = attributes.split_once("=\"").ok_or(format!("<{tag}> has no right attributes"))?;
        let (value, more) = value.split_once('"').ok_or(format!("<{tag}> has no right attributes"))?;
        if !key.chars().all(|c| c.is_ascii_lowercase() || c == ':') || value.contains('<') {
            return Err(format!("{key:?} is no attribute of <{tag}>"));
        }
        if element.attributes.iter().any(|(other, _)| other == key) {
            return Err(format!("<{tag}> has {key} twice"));
        }
        element.attributes.push((key.to_owned(), unescaped(value)?));
        attributes = more.strip_prefix(' ').unwrap_or(more);
    }
    if is_empty {
        return Ok((element, rest));
    }
    loop {
        let (text, _) = rest.split_once('<').ok_or(format!("<{name}> is not closed"))?;
        if text.contains("]]>") {
            return Err(format!("`]]>` stands bare in <{name}>"));
        }
        element.text.push_str(&unescaped(text)?);
        rest = &rest[text.len()..];
        if let Some(section) = rest.strip_prefix("<![CDATA[") {
            let (text, behind) = section.split_once("]]>").ok_or("a section is not closed")?;
            element.text.push_str(text);
            rest = behind;
        } else if let Some(end) = rest.strip_prefix("</") {
            let (closed, behind) = end.split_once('>').ok_or("a tag is not closed")?;
            return match closed == name {
                true => Ok((element, behind)),
                false => Err(format!("</{closed}> closes <{name}>")),
            };
        } else {
            let (child, behind) = self::element(rest)?;
            element.children.push(child);
            rest = behind;
        }
    }
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').ok_or(format!("a bare `&` before {part:?}"))?;
        let number = name.strip_prefix("#x").map(|hex| u32::from_str_radix(hex, 16));
        out.push(match (name, number) {
            ("lt", _) => '<',
            ("gt", _) => '>',
            ("amp", _) => '&',
            ("quot", _) => '"',
            ("apos", _) => '\'',
            (_, Some(Ok(number @ (9 | 10 | 13 | 32..=0xFFFD)))) => char::from_u32(number).ok_or("no character")?,
            _ => return Err(format!("XML does not know &{name};")),
        });
        out.push_str(rest);
    }
    Ok(out)
}

#[test]
fn what_is_wrong_is_found() {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let right = "<a x=\"1&amp;\" y=\"2\">t&#x27;<b/><c><![CDATA[<i>&]]></c></a>\n";
    let read = parse(&format!("{head}{right}")).unwrap();
    assert_eq!((read.attribute("x"), read.content(), read.text("c").as_str()), ("1&", "t'", "<i>&"));
    for wrong in [
        "",
        "<a>",
        "<a></b>",
        "<a/>x",
        "<a><b></a></b>",
        "<a x=1/>",
        "<a x=\"1\" x=\"1\"/>",
        "<a x=\"<\"/>",
        "<a>&nbsp;</a>",
        "<a>&</a>",
        "<a>&#x0;</a>",
        "<a>\u{1}</a>",
        "<a>\u{FFFE}</a>",
        "<a>]]></a>",
        "<a><![CDATA[x</a>",
        "<a><!-- --></a>",
        "<a B=\"1\"/>",
    ] {
        assert!(parse(&format!("{head}{wrong}")).is_err(), "{wrong:?} is taken");
    }
    assert!(parse(right).is_err());
}
