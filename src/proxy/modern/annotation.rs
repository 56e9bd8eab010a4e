//! The arguments of a tool that its server wants in headers: those marked `x-mcp-header` in the tool's
//! `inputSchema`, and what makes such a mark, and with it the tool, invalid (T-54, T-55).
//!
//! A schema is looked at and never followed: a `$ref` is not resolved, and nothing is fetched for it.

use std::collections::HashSet;

use http::HeaderName;

use super::json::{elements, entries};
use super::tools::PREFIX;
use crate::proxy::envelope::string;

const MARK: &str = "x-mcp-header";
/// How deep schemas are looked into, and the most marks of one tool. Servers take about as many headers.
const DEEPEST: usize = 32;
const MOST: usize = 100;

/// Keywords that a mark must not be under, each with whether it names its schemas.
const ELSEWHERE: [(&str, bool); 19] = [
    ("$defs", true),
    ("definitions", true),
    ("dependentSchemas", true),
    ("patternProperties", true),
    ("additionalItems", false),
    ("additionalProperties", false),
    ("allOf", false),
    ("anyOf", false),
    ("contains", false),
    ("else", false),
    ("if", false),
    ("items", false),
    ("not", false),
    ("oneOf", false),
    ("prefixItems", false),
    ("propertyNames", false),
    ("then", false),
    ("unevaluatedItems", false),
    ("unevaluatedProperties", false),
];

/// One argument that goes into a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    /// `Mcp-Param-` and the name that the server chose.
    pub(super) header: HeaderName,
    /// Where the value is in the arguments: one member name after the other.
    pub(super) path: Vec<String>,
}

/// Whether there may be a mark in a JSON text. Only an escape can hide one from this.
pub(super) fn may_mark(text: &str) -> bool {
    text.contains(MARK) || text.contains("\\u")
}

/// The marked arguments of a schema, those with a common path side by side.
///
/// # Errors
/// Why the tool must not be used: words for a log.
pub(super) fn arguments(schema: &str) -> Result<Vec<Argument>, &'static str> {
    let mut found = Found::default();
    found.visit(schema, true)?;
    Ok(found.arguments)
}

#[derive(Default)]
struct Found {
    arguments: Vec<Argument>,
    names: HashSet<HeaderName>,
    /// Where we are: through `properties` alone, as long as that holds.
    path: Vec<String>,
    depth: usize,
}

impl Found {
    fn visit(&mut self, schema: &str, reachable: bool) -> Result<(), &'static str> {
        // Most schemas end here, unread. Where nothing is marked, nothing is too deep.
        if !may_mark(schema) {
            return Ok(());
        }
        if self.depth == DEEPEST {
            // An escape alone is no mark, and depth alone no fault.
            return if schema.contains(MARK) { Err("its schema is too deep") } else { Ok(()) };
        }
        let Some(members) = entries(schema) else { return Ok(()) };
        if let Some(mark) = members.get(MARK) {
            if !reachable || self.path.is_empty() {
                return Err(
                    "x-mcp-header is where no argument is: only a chain of `properties` leads to one",
                );
            }
            self.mark(mark, members.get("type").copied())?;
        }
        self.depth += 1;
        for (name, property) in members.get("properties").and_then(|all| entries(all)).unwrap_or_default() {
            self.path.push(name);
            self.visit(property, reachable)?;
            self.path.pop();
        }
        for (keyword, named) in ELSEWHERE {
            let Some(value) = members.get(keyword) else { continue };
            let schemas = match (named, elements(value)) {
                (_, Some(schemas)) => schemas,
                (true, None) => entries(value).unwrap_or_default().into_values().collect(),
                (false, None) => vec![*value],
            };
            for schema in schemas {
                self.visit(schema, false)?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn mark(&mut self, mark: &str, kind: Option<&str>) -> Result<(), &'static str> {
        let name = string(mark);
        if !mark.starts_with('"') || name.is_empty() {
            return Err("x-mcp-header is not a name");
        }
        // A header's name is a token, as here demanded (RFC 9110 section 5.6.2), and written small: so two
        // that differ in case only are one.
        let header = HeaderName::try_from(format!("{PREFIX}{name}"));
        let header = header.map_err(|_| "x-mcp-header is a name that no header can have")?;
        if !kind.is_some_and(is_simple) {
            return Err("x-mcp-header is on an argument that is neither string, integer nor boolean");
        }
        if !self.names.insert(header.clone()) {
            return Err("x-mcp-header gives two arguments the same name");
        }
        if self.arguments.len() == MOST {
            return Err("x-mcp-header is on more arguments than fit into headers");
        }
        self.arguments.push(Argument { header, path: self.path.clone() });
        Ok(())
    }
}

/// Whether a schema's `type` allows only what can go into a header, or `null`, for which there is no header.
fn is_simple(kind: &str) -> bool {
    let kinds = elements(kind).unwrap_or_else(|| vec![kind]);
    let simple = |kind: &&str| matches!(&*string(kind), "string" | "integer" | "boolean");
    let (simple, others): (Vec<&str>, Vec<&str>) = kinds.into_iter().partition(simple);
    !simple.is_empty() && others.iter().all(|kind| string(kind) == "null")
}

#[cfg(test)]
mod tests;
