//! The template of a post, compiled to literal pieces and slots.
//!
//! A post is drawn hundreds of thousands of times where a page is drawn thousands of times, and handlebars takes more
//! for it than all else together. What `post.hbs` commonly consists of (text, fields, `#if`, `#unless` and the loop
//! over the backlinks) is therefore compiled when the theme is loaded. A template that does anything else is left to
//! handlebars, whole; a test compares the two byte for byte.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{Path, PathSeg};

use super::digits::{Digits, push_number};
use super::escape::push_escaped;
use super::views::{Backlink, PostView};

/// A compiled post template.
#[derive(Debug)]
pub struct PostTemplate {
    pieces: Vec<Piece>,
    /// The same for a post that has a time and none of the [`EXTRAS`], as nearly all are.
    ordinary: Vec<Piece>,
}

/// What nearly no post has or is. What a template shows where it is missing can be put together beforehand, and is then
/// much fewer pieces.
const EXTRAS: [Field; 11] = [
    Field::Op,
    Field::Deleted,
    Field::Trip,
    Field::PosterId,
    Field::Capcode,
    Field::Subject,
    Field::Sage,
    Field::Sticky,
    Field::Locked,
    Field::Archived,
    Field::Cut,
];

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    /// A field, escaped.
    Field(Field),
    /// A field as it is.
    Raw(Field),
    Choice {
        field: Field,
        truthy: Vec<Piece>,
        falsy: Vec<Piece>,
    },
    Backlinks {
        each: Vec<Piece>,
        none: Vec<Piece>,
    },
}

/// The fields of [`PostView`], and of [`Backlink`] inside the loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    No,
    Href,
    Op,
    Deleted,
    Name,
    Trip,
    PosterId,
    Capcode,
    Subject,
    Sage,
    Sticky,
    Locked,
    Archived,
    Iso,
    Time,
    Body,
    Cut,
    Backlinks,
    MoreBacklinks,
    BacklinkNo,
    BacklinkHref,
}

/// In which of the two a name is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Post,
    Backlink,
}

impl PostTemplate {
    /// Compiles `template`; `None` if it does something that only handlebars knows.
    pub fn compile(template: &Template) -> Option<PostTemplate> {
        let pieces = pieces(template, Scope::Post)?;
        let mut ordinary = Vec::new();
        without_extras(&pieces, &mut ordinary);
        Some(PostTemplate { pieces, ordinary })
    }

    /// Draws a post, as handlebars would.
    pub fn draw(&self, post: &PostView<'_>, out: &mut String) {
        let no = Digits::of(post.no);
        let here = Here { post, no: no.as_str(), backlink: Backlink::default(), backlink_no: "" };
        let is_ordinary = !post.iso.is_empty() && !EXTRAS.into_iter().any(|extra| here.value(extra).truthy());
        draw(if is_ordinary { &self.ordinary } else { &self.pieces }, &here, out);
    }
}

/// Appends the pieces that are left for a post with a time and without extras to `kept`; texts that then touch become one.
fn without_extras(pieces: &[Piece], kept: &mut Vec<Piece>) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => match kept.last_mut() {
                Some(Piece::Text(before)) => before.push_str(text),
                _ => kept.push(piece.clone()),
            },
            Piece::Choice { field: Field::Iso, truthy, .. } => without_extras(truthy, kept),
            Piece::Choice { field, falsy, .. } if EXTRAS.contains(field) => without_extras(falsy, kept),
            _ => kept.push(piece.clone()),
        }
    }
}

fn pieces(template: &Template, scope: Scope) -> Option<Vec<Piece>> {
    template
        .elements
        .iter()
        .filter(|element| !matches!(element, TemplateElement::Comment(_)))
        .map(|element| piece(element, scope))
        .collect()
}

fn piece(element: &TemplateElement, scope: Scope) -> Option<Piece> {
    match element {
        TemplateElement::RawString(text) => Some(Piece::Text(text.clone())),
        TemplateElement::Expression(expression) => Some(Piece::Field(lone_field(expression, scope)?)),
        TemplateElement::HtmlExpression(expression) => Some(Piece::Raw(lone_field(expression, scope)?)),
        TemplateElement::HelperBlock(block) => block_piece(block, scope),
        _ => None,
    }
}

/// `{{field}}`. A list has no text that is worth a special case.
fn lone_field(expression: &HelperTemplate, scope: Scope) -> Option<Field> {
    let plain = expression.params.is_empty() && expression.hash.is_empty() && !expression.block;
    let field = field(&expression.name, scope)?;
    (plain && field != Field::Backlinks).then_some(field)
}

fn block_piece(block: &HelperTemplate, scope: Scope) -> Option<Piece> {
    let [param] = block.params.as_slice() else { return None };
    if !block.hash.is_empty() || block.block_param.is_some() {
        return None;
    }
    let inner = |template: &Option<Template>, scope| template.as_ref().map_or(Some(Vec::new()), |t| pieces(t, scope));
    let field = field(param, scope)?;
    match block.name.as_name()? {
        "if" => {
            Some(Piece::Choice { field, truthy: inner(&block.template, scope)?, falsy: inner(&block.inverse, scope)? })
        }
        "unless" => {
            Some(Piece::Choice { field, truthy: inner(&block.inverse, scope)?, falsy: inner(&block.template, scope)? })
        }
        "each" if field == Field::Backlinks => Some(Piece::Backlinks {
            each: inner(&block.template, Scope::Backlink)?,
            none: inner(&block.inverse, Scope::Post)?,
        }),
        _ => None,
    }
}

fn field(parameter: &Parameter, scope: Scope) -> Option<Field> {
    let name = match parameter {
        Parameter::Name(name) => name.as_str(),
        Parameter::Path(Path::Relative((segments, _))) => match segments.as_slice() {
            [PathSeg::Named(name)] => name.as_str(),
            _ => return None,
        },
        _ => return None,
    };
    match scope {
        Scope::Backlink => match name {
            "no" => Some(Field::BacklinkNo),
            "href" => Some(Field::BacklinkHref),
            _ => None,
        },
        Scope::Post => Some(match name {
            "no" => Field::No,
            "href" => Field::Href,
            "op" => Field::Op,
            "deleted" => Field::Deleted,
            "name" => Field::Name,
            "trip" => Field::Trip,
            "poster_id" => Field::PosterId,
            "capcode" => Field::Capcode,
            "subject" => Field::Subject,
            "sage" => Field::Sage,
            "sticky" => Field::Sticky,
            "locked" => Field::Locked,
            "archived" => Field::Archived,
            "iso" => Field::Iso,
            "time" => Field::Time,
            "body" => Field::Body,
            "cut" => Field::Cut,
            "backlinks" => Field::Backlinks,
            "more_backlinks" => Field::MoreBacklinks,
            _ => return None,
        }),
    }
}

/// A field's value.
#[derive(Clone, Copy)]
enum Value<'a> {
    Number(u64),
    /// The digits of a number.
    Digits(&'a str),
    Text(&'a str),
    Flag(bool),
    /// A list of which only matters whether it is empty.
    List(bool),
    /// Where a reply stands: the page, and its number.
    Link(&'a str, &'a str),
}

impl Value<'_> {
    #[inline]
    fn truthy(self) -> bool {
        match self {
            Value::Number(number) => number != 0,
            Value::Text(text) => !text.is_empty(),
            Value::Flag(on) | Value::List(on) => on,
            Value::Digits(digits) => digits != "0",
            Value::Link(..) => true,
        }
    }
}

/// What a template stands in: the post, and in the loop over the replies that name it one of them.
#[derive(Clone, Copy)]
struct Here<'a> {
    post: &'a PostView<'a>,
    /// Its number.
    no: &'a str,
    backlink: Backlink<'a>,
    /// The number of that one.
    backlink_no: &'a str,
}

impl<'a> Here<'a> {
    #[inline]
    fn value(&self, field: Field) -> Value<'a> {
        let post = self.post;
        match field {
            Field::No => Value::Digits(self.no),
            Field::Href => Value::Text(post.href),
            Field::Op => Value::Flag(post.op),
            Field::Deleted => Value::Flag(post.deleted),
            Field::Name => Value::Text(post.name),
            Field::Trip => Value::Text(post.trip),
            Field::PosterId => Value::Text(post.poster_id),
            Field::Capcode => Value::Text(post.capcode),
            Field::Subject => Value::Text(post.subject),
            Field::Sage => Value::Flag(post.sage),
            Field::Sticky => Value::Flag(post.sticky),
            Field::Locked => Value::Flag(post.locked),
            Field::Archived => Value::Flag(post.archived),
            Field::Iso => Value::Text(post.iso),
            Field::Time => Value::Text(post.time),
            Field::Body => Value::Text(post.body),
            Field::Cut => Value::Flag(post.cut),
            Field::Backlinks => Value::List(!post.backlinks.is_empty()),
            Field::MoreBacklinks => Value::Number(post.more_backlinks as u64),
            Field::BacklinkNo => Value::Digits(self.backlink_no),
            Field::BacklinkHref => Value::Link(self.backlink.page, self.backlink_no),
        }
    }
}

fn draw(pieces: &[Piece], here: &Here<'_>, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Field(field) => push(here.value(*field), push_escaped, out),
            Piece::Raw(field) => push(here.value(*field), String::push_str, out),
            Piece::Choice { field, truthy, falsy } => {
                let chosen = if here.value(*field).truthy() { truthy } else { falsy };
                // Most of what a post can have it has not, and then there is nothing to draw.
                if !chosen.is_empty() {
                    draw(chosen, here, out);
                }
            }
            Piece::Backlinks { none, .. } if here.post.backlinks.is_empty() => draw(none, here, out),
            Piece::Backlinks { each, .. } => {
                for backlink in here.post.backlinks {
                    let no = Digits::of(backlink.no);
                    draw(each, &Here { backlink: *backlink, backlink_no: no.as_str(), ..*here }, out);
                }
            }
        }
    }
}

/// Adds a value; `text` adds one that is text.
#[inline]
fn push(value: Value<'_>, text: impl Fn(&mut String, &str), out: &mut String) {
    match value {
        Value::Text(value) => text(out, value),
        Value::Number(number) => push_number(out, number),
        Value::Digits(digits) => out.push_str(digits),
        Value::Flag(on) => out.push_str(if on { "true" } else { "false" }),
        Value::List(_) => {}
        Value::Link(page, no) => {
            // Mostly it is the page that is drawn.
            if !page.is_empty() {
                text(out, page);
            }
            out.push_str(Backlink::ANCHOR);
            out.push_str(no);
        }
    }
}
