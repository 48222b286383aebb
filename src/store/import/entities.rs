//! Character references: `&gt;`, `&#44;`, `&#x27;`.
//!
//! What browsers do with the broken ones is done here too, since archives were written for browsers: a missing
//! semicolon is forgiven where they forgive it, numbers of the Windows code page mean its characters, and numbers
//! that are no character become U+FFFD. Two halves of a surrogate pair that follow each other become the character that
//! was meant.

/// Where a reference stands: in an attribute, `&lt=` is left as it is, because it is more likely a query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between tags.
    Text,
    /// In the value of an attribute.
    Attribute,
}

/// Longest name or number that is looked at.
const NAME_BYTES_MAX: usize = 12;

/// `text` with its character references replaced.
pub fn decode(text: &str, place: Place) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest, place) {
            Some((c, taken)) => {
                out.push(c);
                rest = &rest[taken..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The character that the reference at the start of `text` means, and how many bytes it takes.
fn reference(text: &str, place: Place) -> Option<(char, usize)> {
    match text.as_bytes().get(1)? {
        b'#' => {
            let (code, taken) = number(text)?;
            if let (0xD800..0xDC00, Some((low @ 0xDC00..0xE000, more))) = (code, number(&text[taken..])) {
                let joined = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                return Some((char::from_u32(joined)?, taken + more));
            }
            Some((character(code), taken))
        }
        b if b.is_ascii_alphabetic() => name(text, place),
        _ => None,
    }
}

/// The number of a reference such as `&#44;` at the start of `text`, and the bytes it takes. Numbers out of range are
/// all the same large one.
fn number(text: &str) -> Option<(u32, usize)> {
    let digits = text.strip_prefix("&#")?;
    let (digits, radix, before) = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 3),
        None => (digits, 10, 2),
    };
    let count = digits.bytes().take_while(|b| (*b as char).is_digit(radix)).count();
    if count == 0 {
        return None;
    }
    let code = u32::from_str_radix(&digits[..count], radix).unwrap_or(u32::MAX);
    let semicolon = usize::from(digits.as_bytes().get(count) == Some(&b';'));
    Some((code, before + count + semicolon))
}

/// What the code points 0x80 to 0x9F mean in web pages; a space where the code page has nothing.
const WINDOWS: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

fn character(code: u32) -> char {
    match code {
        0x80..=0x9F => {
            WINDOWS.chars().nth(code as usize - 0x80).filter(|c| *c != ' ').unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        0 => char::REPLACEMENT_CHARACTER,
        code => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

fn name(text: &str, place: Place) -> Option<(char, usize)> {
    let count = text.bytes().skip(1).take(NAME_BYTES_MAX).take_while(u8::is_ascii_alphanumeric).count();
    let (name, next) = (&text[1..1 + count], text.as_bytes().get(1 + count));
    if next == Some(&b';') {
        return Some((named(name)?, count + 2));
    }
    if place == Place::Attribute {
        // Not followed by `=` or a letter, as browsers have it.
        let whole = next != Some(&b'=') && matches!(name, "amp" | "lt" | "gt" | "quot");
        return if whole { Some((named(name)?, count + 1)) } else { None };
    }
    if let Some(short) =
        ["amp", "AMP", "lt", "LT", "gt", "GT", "quot", "QUOT", "nbsp"].iter().find(|s| name.starts_with(**s))
    {
        return Some((named(short)?, short.len() + 1));
    }
    // The other names that browsers know without a semicolon are those of Latin-1.
    let c = named(name)?;
    ('\u{A0}'..='\u{FF}').contains(&c).then_some((c, count + 1))
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        "shy" => '\u{AD}',
        "ensp" => '\u{2002}',
        "emsp" => '\u{2003}',
        "thinsp" => '\u{2009}',
        "zwnj" => '\u{200C}',
        "zwj" => '\u{200D}',
        "lrm" => '\u{200E}',
        "rlm" => '\u{200F}',
        "Tab" => '\t',
        "lbrack" | "lsqb" => '[',
        "rbrack" | "rsqb" => ']',
        "lbrace" | "lcub" => '{',
        "rbrace" | "rcub" => '}',
        "lpar" => '(',
        "rpar" => ')',
        "num" => '#',
        "commat" => '@',
        "colon" => ':',
        "comma" => ',',
        "period" => '.',
        "sol" => '/',
        "bsol" => '\\',
        "ast" => '*',
        "lowbar" => '_',
        "grave" => '`',
        "vert" | "verbar" => '|',
        "equals" => '=',
        "plus" => '+',
        "dollar" => '$',
        "percnt" => '%',
        "excl" => '!',
        "quest" => '?',
        "semi" => ';',
        _ => return tabled(name),
    })
}

fn tabled(name: &str) -> Option<char> {
    let mut words = NAMES.split(' ');
    words.find(|word| *word == name)?;
    words.next()?.chars().next()
}

/// The other names of HTML 4, each followed by its character.
const NAMES: &str = "iexcl ¡ cent ¢ pound £ curren ¤ yen ¥ brvbar ¦ sect § uml ¨ copy © ordf ª laquo « not ¬ reg ® macr ¯ deg ° \
     plusmn ± sup2 ² sup3 ³ acute ´ micro µ para ¶ middot · cedil ¸ sup1 ¹ ordm º raquo » frac14 ¼ frac12 ½ \
     frac34 ¾ iquest ¿ Agrave À Aacute Á Acirc Â Atilde Ã Auml Ä Aring Å AElig Æ Ccedil Ç Egrave È Eacute É \
     Ecirc Ê Euml Ë Igrave Ì Iacute Í Icirc Î Iuml Ï ETH Ð Ntilde Ñ Ograve Ò Oacute Ó Ocirc Ô Otilde Õ Ouml Ö \
     times × Oslash Ø Ugrave Ù Uacute Ú Ucirc Û Uuml Ü Yacute Ý THORN Þ szlig ß agrave à aacute á acirc â \
     atilde ã auml ä aring å aelig æ ccedil ç egrave è eacute é ecirc ê euml ë igrave ì iacute í icirc î iuml ï \
     eth ð ntilde ñ ograve ò oacute ó ocirc ô otilde õ ouml ö divide ÷ oslash ø ugrave ù uacute ú ucirc û uuml ü \
     yacute ý thorn þ yuml ÿ OElig Œ oelig œ Scaron Š scaron š Yuml Ÿ fnof ƒ circ ˆ tilde ˜ Alpha Α Beta Β \
     Gamma Γ Delta Δ Epsilon Ε Zeta Ζ Eta Η Theta Θ Iota Ι Kappa Κ Lambda Λ Mu Μ Nu Ν Xi Ξ Omicron Ο Pi Π Rho Ρ \
     Sigma Σ Tau Τ Upsilon Υ Phi Φ Chi Χ Psi Ψ Omega Ω alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η \
     theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ omicron ο pi π rho ρ sigmaf ς sigma σ tau τ upsilon υ phi φ \
     chi χ psi ψ omega ω thetasym ϑ upsih ϒ piv ϖ ndash – mdash — lsquo ‘ rsquo ’ sbquo ‚ ldquo “ rdquo ” bdquo „ \
     dagger † Dagger ‡ bull • hellip … permil ‰ prime ′ Prime ″ lsaquo ‹ rsaquo › oline ‾ frasl ⁄ euro € image ℑ \
     weierp ℘ real ℜ trade ™ alefsym ℵ larr ← uarr ↑ rarr → darr ↓ harr ↔ crarr ↵ lArr ⇐ uArr ⇑ rArr ⇒ dArr ⇓ \
     hArr ⇔ forall ∀ part ∂ exist ∃ empty ∅ nabla ∇ isin ∈ notin ∉ ni ∋ prod ∏ sum ∑ minus − lowast ∗ radic √ \
     prop ∝ infin ∞ ang ∠ and ∧ or ∨ cap ∩ cup ∪ int ∫ there4 ∴ sim ∼ cong ≅ asymp ≈ ne ≠ equiv ≡ le ≤ ge ≥ sub ⊂ \
     sup ⊃ nsub ⊄ sube ⊆ supe ⊇ oplus ⊕ otimes ⊗ perp ⊥ sdot ⋅ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋ lang ⟨ rang ⟩ \
     loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦";
