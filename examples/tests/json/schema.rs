//! Checks a value against a JSON Schema: as much of it as our schema uses, and an error for the rest.

use serde_json::{Map, Value};

/// Checks a value against a whole schema.
///
/// # Errors
/// Where the value is not as the schema says, or what the schema says that is not understood here.
pub(crate) fn check(schema: &Value, value: &Value) -> Result<(), String> {
    at(schema, schema, value, "")
}

fn at(root: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let Value::Object(rules) = schema else {
        return match schema {
            Value::Bool(true) => Ok(()),
            _ => Err(format!("{place}: nothing is allowed here")),
        };
    };
    let wrong = |what: String| Err(format!("{place}: {what}: {value}"));
    for (keyword, rule) in rules {
        let holds = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" | "items" => true,
            "type" => has_type(rule, value),
            "const" => rule == value,
            "enum" => list(rule).contains(value),
            "format" => has_format(rule, value)?,
            "minimum" => value.as_f64() >= rule.as_f64(),
            "maximum" => value.as_f64() <= rule.as_f64(),
            "required" => list(rule)
                .iter()
                .all(|name| value.get(name.as_str().unwrap_or_default()).is_some()),
            "$ref" => {
                let name = rule.as_str().and_then(|name| name.strip_prefix('#'));
                let target = name.and_then(|name| root.pointer(name));
                let target = target.ok_or_else(|| format!("{rule} leads nowhere"))?;
                at(root, target, value, place)?;
                true
            }
            "properties" => {
                for (name, rule) in rule.as_object().into_iter().flat_map(Map::iter) {
                    if let Some(value) = value.get(name) {
                        at(root, rule, value, &format!("{place}/{name}"))?;
                    }
                }
                true
            }
            "anyOf" | "oneOf" => {
                let fits = |one: &&Value| at(root, one, value, place).is_ok();
                let fitting = list(rule).iter().filter(fits).count();
                fitting == 1 || (keyword == "anyOf" && fitting > 1)
            }
            other => return Err(format!("{place}: the keyword {other} is not understood")),
        };
        if !holds {
            return wrong(format!("not {keyword} {rule}"));
        }
    }
    if let (Some(rule), Some(values)) = (rules.get("items"), value.as_array()) {
        for (number, value) in values.iter().enumerate() {
            at(root, rule, value, &format!("{place}/{number}"))?;
        }
    }
    Ok(())
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array()
        .map_or(std::slice::from_ref(rule), Vec::as_slice)
}

fn has_type(rule: &Value, value: &Value) -> bool {
    list(rule).iter().any(|name| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("null") => value.is_null(),
        _ => false,
    })
}

fn has_format(rule: &Value, value: &Value) -> Result<bool, String> {
    match rule.as_str() {
        // The sizes of integers, which say less than the bounds do.
        Some("int32" | "uint" | "uint8" | "uint32" | "uint64") => Ok(true),
        Some("date-time") => Ok(value
            .as_str()
            .is_none_or(|text| text.parse::<jiff::Timestamp>().is_ok())),
        _ => Err(format!("the format {rule} is not understood")),
    }
}
