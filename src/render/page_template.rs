//! Templates of pages, compiled.
//!
//! Handlebars copies the values of a page at every partial and every turn of a loop, and looks every name up anew.
//! What templates commonly consist of (text, fields, `#if`, `#unless`, `#each`, partials, a layout with its block, `eq`,
//! `ne`, `or`, `and`, `not` in conditions, `asset`) is compiled here when the theme is loaded, partials put in where
//! they are called. A template that does anything else is left to handlebars, whole; and so is a page on which
//! anything is out of the ordinary, such as a field that does not exist, so that the message is handlebars' own. A
//! test compares the two byte for byte.

use std::collections::BTreeMap;
use std::fmt::Write;

use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, Subexpression, Template, TemplateElement};
use handlebars::{Handlebars, Path, PathSeg};
use handlebars::{JsonTruthy, JsonValue};

/// Partials inside partials are followed so deep. Deeper ones, or ones that never end, are handlebars' matter.
const PARTIALS_DEEP: usize = 16;

/// The names that handlebars, or the theme, takes for those of helpers.
const HELPERS: [&str; 18] = [
    "and", "asset", "each", "eq", "gt", "gte", "if", "len", "log", "lookup", "lt", "lte", "ne", "not", "or", "raw",
    "unless", "with",
];

/// A compiled template with all its partials.
#[derive(Debug)]
pub struct PageTemplate {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    /// A value, escaped.
    Field(Names),
    /// A value as it is.
    Raw(Names),
    Choice {
        condition: Operand,
        truthy: Vec<Piece>,
        falsy: Vec<Piece>,
    },
    Each {
        list: Names,
        item: Vec<Piece>,
        none: Vec<Piece>,
    },
    /// A partial that sees another value.
    With {
        value: Names,
        inner: Vec<Piece>,
    },
    /// A layout: the block is drawn first, as the caller sees things, and stands where the layout puts it.
    Layout {
        layout: Vec<Piece>,
        block: Vec<Piece>,
    },
    /// `{{> @partial-block}}`
    Block,
}

/// The way to a value from where one stands: `page.title` is two names, `this` is none.
type Names = Vec<String>;

/// What a condition is about.
#[derive(Debug)]
enum Operand {
    Value(Names),
    Literal(JsonValue),
    Equal(Box<(Operand, Operand)>),
    Unequal(Box<(Operand, Operand)>),
    Or(Vec<Operand>),
    And(Vec<Operand>),
    Not(Box<Operand>),
}

/// A page on which something is out of the ordinary.
struct Unusual;

impl PageTemplate {
    /// Compiles the template `name`; `None` if it does something that only handlebars knows.
    pub fn compile(name: &str, templates: &Handlebars<'_>, assets: &BTreeMap<String, String>) -> Option<PageTemplate> {
        let compiler = Compiler { templates, assets };
        Some(PageTemplate { pieces: compiler.pieces(templates.get_template(name)?, 0)? })
    }

    /// Draws a page, as handlebars would; `None` if this page is handlebars' matter.
    pub fn draw(&self, values: &JsonValue) -> Option<String> {
        let mut out = String::with_capacity(8 << 10);
        draw(&self.pieces, values, None, &mut out).ok().map(|()| out)
    }
}

struct Compiler<'a> {
    templates: &'a Handlebars<'a>,
    assets: &'a BTreeMap<String, String>,
}

impl Compiler<'_> {
    fn pieces(&self, template: &Template, depth: usize) -> Option<Vec<Piece>> {
        let kept = template.elements.iter().filter(|element| !matches!(element, TemplateElement::Comment(_)));
        kept.map(|element| self.piece(element, depth)).collect()
    }

    fn optional(&self, template: &Option<Template>, depth: usize) -> Option<Vec<Piece>> {
        template.as_ref().map_or(Some(Vec::new()), |template| self.pieces(template, depth))
    }

    fn piece(&self, element: &TemplateElement, depth: usize) -> Option<Piece> {
        match element {
            TemplateElement::RawString(text) => Some(Piece::Text(text.clone())),
            TemplateElement::Expression(expression) if expression.name.as_name() == Some("asset") => {
                self.asset(expression)
            }
            TemplateElement::Expression(expression) => Some(Piece::Field(self.lone_value(expression)?)),
            TemplateElement::HtmlExpression(expression) => Some(Piece::Raw(self.lone_value(expression)?)),
            TemplateElement::HelperBlock(block) => self.block(block, depth),
            TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                self.partial(partial, depth)
            }
            _ => None,
        }
    }

    /// `{{asset "style.css"}}`, which is the same on every page.
    fn asset(&self, expression: &HelperTemplate) -> Option<Piece> {
        match expression.params.as_slice() {
            [Parameter::Literal(JsonValue::String(name))] if expression.hash.is_empty() => {
                Some(Piece::Text(handlebars::html_escape(self.assets.get(name)?)))
            }
            _ => None,
        }
    }

    fn lone_value(&self, expression: &HelperTemplate) -> Option<Names> {
        let plain = expression.params.is_empty() && expression.hash.is_empty() && !expression.block;
        let names = names(&expression.name)?;
        // A helper of this name would be called instead.
        let helper = matches!(names.as_slice(), [name] if HELPERS.contains(&name.as_str()));
        (plain && !helper).then_some(names)
    }

    fn block(&self, block: &HelperTemplate, depth: usize) -> Option<Piece> {
        let [param] = block.params.as_slice() else { return None };
        if !block.hash.is_empty() || block.block_param.is_some() {
            return None;
        }
        let (then, otherwise) = (self.optional(&block.template, depth)?, self.optional(&block.inverse, depth)?);
        match block.name.as_name()? {
            "if" => Some(Piece::Choice { condition: operand(param)?, truthy: then, falsy: otherwise }),
            "unless" => Some(Piece::Choice { condition: operand(param)?, truthy: otherwise, falsy: then }),
            "each" => Some(Piece::Each { list: names(param)?, item: then, none: otherwise }),
            _ => None,
        }
    }

    fn partial(&self, partial: &DecoratorTemplate, depth: usize) -> Option<Piece> {
        let indented = partial.indent.as_ref().is_some_and(|indent| !indent.is_empty());
        if PARTIALS_DEEP <= depth || indented || !partial.hash.is_empty() {
            return None;
        }
        let name = partial.name.as_name()?;
        if name == "@partial-block" {
            return (partial.params.is_empty() && partial.template.is_none()).then_some(Piece::Block);
        }
        let inner = self.pieces(self.templates.get_template(name)?, depth + 1)?;
        match (partial.params.as_slice(), &partial.template) {
            ([], Some(block)) => Some(Piece::Layout { layout: inner, block: self.pieces(block, depth + 1)? }),
            // `this` is what a partial without a parameter sees.
            ([], None) => Some(Piece::With { value: Vec::new(), inner }),
            ([value], None) => Some(Piece::With { value: names(value)?, inner }),
            _ => None,
        }
    }
}

fn operand(parameter: &Parameter) -> Option<Operand> {
    match parameter {
        Parameter::Literal(value) => Some(Operand::Literal(value.clone())),
        Parameter::Subexpression(expression) => subexpression(expression),
        other => Some(Operand::Value(names(other)?)),
    }
}

fn subexpression(expression: &Subexpression) -> Option<Operand> {
    let TemplateElement::Expression(call) = expression.element.as_ref() else { return None };
    if !call.hash.is_empty() {
        return None;
    }
    let mut params: Vec<Operand> = call.params.iter().map(operand).collect::<Option<_>>()?;
    let name = call.name.as_name()?;
    match (name, params.len()) {
        ("or", 2) => Some(Operand::Or(params)),
        ("and", 2) => Some(Operand::And(params)),
        ("not", 1) => Some(Operand::Not(Box::new(params.pop()?))),
        ("eq" | "ne", 2) => {
            let (right, left) = (params.pop()?, params.pop()?);
            // What is compared must be a value: conditions inside are handlebars' matter.
            if !matches!(
                (&left, &right),
                (Operand::Value(_) | Operand::Literal(_), Operand::Value(_) | Operand::Literal(_))
            ) {
                return None;
            }
            let pair = Box::new((left, right));
            Some(if name == "eq" { Operand::Equal(pair) } else { Operand::Unequal(pair) })
        }
        _ => None,
    }
}

/// The names of a plain path. One that goes up, or to a variable of a loop, is handlebars' matter.
fn names(parameter: &Parameter) -> Option<Names> {
    match parameter {
        Parameter::Name(name) => Some(vec![name.clone()]),
        Parameter::Path(Path::Relative((segments, raw))) => {
            if raw == "this" || raw == "." {
                return Some(Vec::new());
            }
            let name = |segment: &PathSeg| match segment {
                PathSeg::Named(name) => Some(name.clone()),
                _ => None,
            };
            segments.iter().map(name).collect()
        }
        _ => None,
    }
}

fn draw(pieces: &[Piece], here: &JsonValue, block: Option<&str>, out: &mut String) -> Result<(), Unusual> {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Field(names) => push_escaped(find(names, here)?, out)?,
            Piece::Raw(names) => push_raw(find(names, here)?, out)?,
            Piece::Choice { condition, truthy, falsy } => {
                draw(if holds(condition, here)? { truthy } else { falsy }, here, block, out)?;
            }
            Piece::Each { list, item, none } => match find(list, here)? {
                JsonValue::Array(items) if items.is_empty() => draw(none, here, block, out)?,
                JsonValue::Array(items) => {
                    items.iter().try_for_each(|value| draw(item, value, block, out))?;
                }
                _ => return Err(Unusual),
            },
            Piece::With { value, inner } => draw(inner, find(value, here)?, None, out)?,
            Piece::Layout { layout, block: inner } => {
                let mut drawn = String::new();
                draw(inner, here, block, &mut drawn)?;
                draw(layout, here, Some(&drawn), out)?;
            }
            Piece::Block => out.push_str(block.ok_or(Unusual)?),
        }
    }
    Ok(())
}

fn find<'a>(names: &Names, here: &'a JsonValue) -> Result<&'a JsonValue, Unusual> {
    names.iter().try_fold(here, |value, name| value.as_object()?.get(name)).ok_or(Unusual)
}

fn holds(condition: &Operand, here: &JsonValue) -> Result<bool, Unusual> {
    Ok(match condition {
        Operand::Value(names) => find(names, here)?.is_truthy(false),
        Operand::Literal(value) => value.is_truthy(false),
        Operand::Equal(pair) => value(&pair.0, here)? == value(&pair.1, here)?,
        Operand::Unequal(pair) => value(&pair.0, here)? != value(&pair.1, here)?,
        // All of them are looked at, so that one that does not exist is found.
        Operand::Or(all) => all.iter().try_fold(false, |any, one| Ok(any | holds(one, here)?))?,
        Operand::And(all) => all.iter().try_fold(true, |every, one| Ok(every & holds(one, here)?))?,
        Operand::Not(one) => !holds(one, here)?,
    })
}

fn value<'a>(operand: &'a Operand, here: &'a JsonValue) -> Result<&'a JsonValue, Unusual> {
    match operand {
        Operand::Value(names) => find(names, here),
        Operand::Literal(value) => Ok(value),
        _ => Err(Unusual),
    }
}

fn push_escaped(value: &JsonValue, out: &mut String) -> Result<(), Unusual> {
    match value {
        JsonValue::String(text) if text.bytes().any(is_special) => out.push_str(&handlebars::html_escape(text)),
        other => return push_raw(other, out),
    }
    Ok(())
}

fn push_raw(value: &JsonValue, out: &mut String) -> Result<(), Unusual> {
    match value {
        JsonValue::String(text) => out.push_str(text),
        JsonValue::Number(number) => drop(write!(out, "{number}")),
        JsonValue::Bool(on) => out.push_str(if *on { "true" } else { "false" }),
        _ => return Err(Unusual),
    }
    Ok(())
}

/// The characters that handlebars writes as references.
pub(super) fn is_special(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'"' | b'&' | b'\'' | b'`' | b'=')
}
