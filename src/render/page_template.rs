//! Templates of pages, compiled.
//!
//! Handlebars copies the values of a page at every partial and every turn of a loop, and looks every name up anew. Here
//! they are read where they are, see [`values`](super::values).
//! What templates commonly consist of (text, fields, `#if`, `#unless`, `#each`, partials, a layout with its block, `eq`,
//! `ne`, `or`, `and`, `not` in conditions, `asset`) is compiled here when the theme is loaded, partials put in where
//! they are called. A template that does anything else is left to handlebars, whole; and so is a page on which
//! anything is out of the ordinary, such as a field that does not exist, so that the message is handlebars' own. A
//! test compares the two byte for byte.

use std::collections::BTreeMap;

use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, Subexpression, Template, TemplateElement};
use handlebars::{Handlebars, Path, PathSeg};
use handlebars::{JsonTruthy, JsonValue};

use super::digits::push_number;
use super::escape::push_escaped;
use super::values::{Name, Record, Value};
use super::views::{SafeHtml, Slot};

/// Partials inside partials are followed so deep. Deeper ones, or ones that never end, are handlebars' matter.
const PARTIALS_DEEP: usize = 16;

/// Room for what a page commonly has beside posts.
const AROUND_BYTES: usize = 8 << 10;

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
    /// A layout: the block is drawn where the layout puts it, but as the caller sees things.
    Layout {
        layout: Vec<Piece>,
        block: Vec<Piece>,
    },
    /// `{{> @partial-block}}`
    Block,
}

/// The way to a value from where one stands: `page.title` is two names, `this` is none.
type Names = Vec<Name>;

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

    /// Draws a page, as handlebars would, with `posts` in their slots; `None` if this page is handlebars' matter.
    pub fn draw(&self, view: &dyn Record, posts: &[&SafeHtml]) -> Option<String> {
        let bytes: usize = posts.iter().map(|posts| posts.as_str().len()).sum();
        let mut out = String::with_capacity(AROUND_BYTES + bytes);
        let scene = Scene { here: Value::Record(view), block: None, posts };
        scene.draw(&self.pieces, &mut out).ok().map(|()| out)
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
        // A helper of this name would be called instead.
        let helper = expression.name.as_name().is_some_and(|name| HELPERS.contains(&name));
        (plain && !helper).then(|| names(&expression.name)).flatten()
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
            // Handlebars draws the block even if the layout then leaves it out, and tells what is wrong with it.
            ([], Some(block)) if always_draws_block(&inner) => {
                Some(Piece::Layout { layout: inner, block: self.pieces(block, depth + 1)? })
            }
            // `this` is what a partial without a parameter sees.
            ([], None) => Some(Piece::With { value: Vec::new(), inner }),
            ([value], None) => Some(Piece::With { value: names(value)?, inner }),
            _ => None,
        }
    }
}

fn always_draws_block(layout: &[Piece]) -> bool {
    layout.iter().any(|piece| match piece {
        Piece::Block => true,
        Piece::Layout { block, .. } => always_draws_block(block),
        _ => false,
    })
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
        Parameter::Name(name) => Some(vec![Name::parse(name)?]),
        Parameter::Path(Path::Relative((segments, raw))) => {
            if raw == "this" || raw == "." {
                return Some(Vec::new());
            }
            let name = |segment: &PathSeg| match segment {
                PathSeg::Named(name) => Name::parse(name),
                _ => None,
            };
            segments.iter().map(name).collect()
        }
        _ => None,
    }
}

/// What the pieces of a template stand in.
#[derive(Clone, Copy)]
struct Scene<'a> {
    here: Value<'a>,
    block: Option<&'a Block<'a>>,
    posts: &'a [&'a SafeHtml],
}

/// The block of a layout, and what it stands in.
struct Block<'a> {
    pieces: &'a [Piece],
    scene: Scene<'a>,
}

impl Scene<'_> {
    fn draw(&self, pieces: &[Piece], out: &mut String) -> Result<(), Unusual> {
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field(names) => match self.find(names)? {
                    Value::Text(text) => push_escaped(out, text),
                    other => self.push_raw(other, out)?,
                },
                Piece::Raw(names) => self.push_raw(self.find(names)?, out)?,
                Piece::Choice { condition, truthy, falsy } => {
                    self.draw(if self.holds(condition)? { truthy } else { falsy }, out)?;
                }
                Piece::Each { list, item, none } => match self.find(list)? {
                    Value::List(list) if list.is_empty() => self.draw(none, out)?,
                    Value::List(list) => {
                        let mut items = (0..).map_while(|place| list.at(place));
                        items.try_for_each(|here| Scene { here, ..*self }.draw(item, out))?;
                    }
                    _ => return Err(Unusual),
                },
                Piece::With { value, inner } => {
                    Scene { here: self.find(value)?, block: None, ..*self }.draw(inner, out)?;
                }
                Piece::Layout { layout, block } => {
                    let block = Block { pieces: block, scene: *self };
                    Scene { block: Some(&block), ..*self }.draw(layout, out)?;
                }
                Piece::Block => {
                    let block = self.block.ok_or(Unusual)?;
                    block.scene.draw(block.pieces, out)?;
                }
            }
        }
        Ok(())
    }

    fn find(&self, names: &[Name]) -> Result<Value<'_>, Unusual> {
        let inside = |value, name: &Name| match value {
            Value::Record(record) => record.get(*name),
            _ => None,
        };
        names.iter().try_fold(self.here, inside).ok_or(Unusual)
    }

    fn holds(&self, condition: &Operand) -> Result<bool, Unusual> {
        Ok(match condition {
            Operand::Value(names) => self.find(names)?.truthy(),
            Operand::Literal(value) => value.is_truthy(false),
            Operand::Equal(pair) => self.equal(pair)?,
            Operand::Unequal(pair) => !self.equal(pair)?,
            // All of them are looked at, so that one that does not exist is found.
            Operand::Or(all) => all.iter().try_fold(false, |any, one| Ok(any | self.holds(one)?))?,
            Operand::And(all) => all.iter().try_fold(true, |every, one| Ok(every & self.holds(one)?))?,
            Operand::Not(one) => !self.holds(one)?,
        })
    }

    fn equal(&self, pair: &(Operand, Operand)) -> Result<bool, Unusual> {
        match pair {
            (Operand::Literal(left), Operand::Literal(right)) => Ok(left == right),
            (Operand::Value(names), Operand::Literal(literal)) | (Operand::Literal(literal), Operand::Value(names)) => {
                match self.find(names)? {
                    Value::Text(text) => Ok(literal.as_str() == Some(text)),
                    Value::Number(number) => Ok(literal.as_u64() == Some(number)),
                    Value::Flag(on) => Ok(literal.as_bool() == Some(on)),
                    _ => Err(Unusual),
                }
            }
            (Operand::Value(left), Operand::Value(right)) => match (self.find(left)?, self.find(right)?) {
                (Value::Text(left), Value::Text(right)) => Ok(left == right),
                (Value::Number(left), Value::Number(right)) => Ok(left == right),
                (Value::Flag(left), Value::Flag(right)) => Ok(left == right),
                // Lists are compared by handlebars, and what is of two kinds is rare.
                _ => Err(Unusual),
            },
            _ => Err(Unusual),
        }
    }

    fn push_raw(&self, value: Value<'_>, out: &mut String) -> Result<(), Unusual> {
        match value {
            Value::Text(text) => out.push_str(text),
            Value::Number(number) => push_number(out, number),
            Value::Flag(on) => out.push_str(if on { "true" } else { "false" }),
            Value::Slot(Slot(place)) => out.push_str(self.posts.get(place).map_or("", |posts| posts.as_str())),
            Value::List(_) | Value::Record(_) => return Err(Unusual),
        }
        Ok(())
    }
}
