//! Rules: when a set of attributes or a constraint counts.

use super::checked;
use super::date::DateExpression;
use super::macros::{choice, from_each, part, words};
use super::resource::Role;
use super::rest::Rest;
use super::value::{Interval, Value};
use crate::name::Id;
use crate::value::Score;

words! {
    /// How the expressions of a rule are joined.
    BooleanOp {
        /// All must hold.
        And = "and",
        /// One must hold.
        Or = "or",
    }
}

part! {
    /// Expressions, joined by "and" (the default) or "or".
    #[derive(Default)]
    Rule {
        /// The id of another rule that this one stands for; then it has nothing of its own.
        id_ref: Option<Id> = reference "id-ref",
        /// Its id.
        id: Option<Id> = own "id",
        /// How the expressions are joined: without it, all must hold.
        boolean_op: Option<BooleanOp> = optional "boolean-op",
        /// What a location constraint is worth where the rule holds.
        score: Option<Score> = optional "score",
        /// The node attribute whose value is the score.
        score_attribute: Option<String> = optional "score-attribute",
        /// The role that a location constraint is about.
        role: Option<Role> = optional "role",
        /// The expressions, in order.
        expressions: Vec<Expression> = any,
    }
}

impl Rule {
    /// Makes a rule that stands for another one.
    #[must_use]
    pub fn same_as(id: impl AsRef<str>) -> Self {
        let mut rule = Self::default();
        rule.id_ref = Some(checked(id.as_ref(), &mut rule.rest));
        rule
    }

    /// Makes it count for this role only.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }
}

choice! {
    /// Something that holds or does not: of a node, a moment, a resource, an operation.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::Expression;
    /// // The gateway does not answer, or nobody looked yet.
    /// let cut_off = Expression::not_defined("pingd").or(Expression::at_most("pingd", 0));
    /// # let _ = cut_off;
    /// ```
    Expression {
        /// About an attribute of a node.
        Attribute(AttributeExpression) = "expression",
        /// About the time.
        Date(DateExpression) = "date_expression",
        /// About the resource that takes a default.
        Resource(ResourceExpression) = "rsc_expression",
        /// About the operation that takes a default.
        Operation(OperationExpression) = "op_expression",
        /// Expressions joined.
        Rule(Rule) = "rule",
    }
}

from_each! {
    Expression: Attribute(AttributeExpression), Date(DateExpression),
        Resource(ResourceExpression), Operation(OperationExpression), Rule(Rule)
}

impl Expression {
    /// The node has the attribute.
    #[must_use]
    pub fn defined(attribute: &str) -> Self {
        AttributeExpression::new(attribute, Comparison::Defined).into()
    }

    /// The node does not have the attribute.
    #[must_use]
    pub fn not_defined(attribute: &str) -> Self {
        AttributeExpression::new(attribute, Comparison::NotDefined).into()
    }

    /// The attribute is this text. Also holds for attributes that every node has: `#uname`.
    #[must_use]
    pub fn is(attribute: &str, value: impl Into<Value>) -> Self {
        AttributeExpression::with(attribute, Comparison::Equal, value, None).into()
    }

    /// The attribute is not this text.
    #[must_use]
    pub fn is_not(attribute: &str, value: impl Into<Value>) -> Self {
        AttributeExpression::with(attribute, Comparison::NotEqual, value, None).into()
    }

    /// The attribute is a number below this one.
    #[must_use]
    pub fn less_than(attribute: &str, value: i64) -> Self {
        AttributeExpression::number(attribute, Comparison::Less, value)
    }

    /// The attribute is a number above this one.
    #[must_use]
    pub fn more_than(attribute: &str, value: i64) -> Self {
        AttributeExpression::number(attribute, Comparison::Greater, value)
    }

    /// The attribute is this number or below.
    #[must_use]
    pub fn at_most(attribute: &str, value: i64) -> Self {
        AttributeExpression::number(attribute, Comparison::LessOrEqual, value)
    }

    /// The attribute is this number or above.
    #[must_use]
    pub fn at_least(attribute: &str, value: i64) -> Self {
        AttributeExpression::number(attribute, Comparison::GreaterOrEqual, value)
    }

    /// The operation has this name, and this interval when one is given.
    #[must_use]
    pub fn operation(name: &str, interval: Option<Interval>) -> Self {
        Self::Operation(OperationExpression {
            id: None,
            name: name.to_owned(),
            interval,
            rest: Rest::default(),
        })
    }

    /// The resource has an agent of this standard, provider and type; each may be left open.
    #[must_use]
    pub fn agent(standard: Option<&str>, provider: Option<&str>, kind: Option<&str>) -> Self {
        Self::Resource(ResourceExpression {
            id: None,
            standard: standard.map(str::to_owned),
            provider: provider.map(str::to_owned),
            kind: kind.map(str::to_owned),
            rest: Rest::default(),
        })
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.join(BooleanOp::And, other)
    }

    /// One of both holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.join(BooleanOp::Or, other)
    }

    fn join(self, op: BooleanOp, other: Self) -> Self {
        let joined = |rule: &Rule| {
            let made_here = Rule {
                boolean_op: Some(op),
                expressions: rule.expressions.clone(),
                ..Rule::default()
            };
            *rule == made_here
        };
        match self {
            Self::Rule(mut rule) if joined(&rule) => {
                rule.expressions.push(other);
                Self::Rule(rule)
            }
            first => Self::Rule(Rule {
                boolean_op: Some(op),
                expressions: vec![first, other],
                ..Rule::default()
            }),
        }
    }

    /// Makes it a rule, if it is none yet.
    #[must_use]
    pub fn into_rule(self) -> Rule {
        match self {
            Self::Rule(rule) => rule,
            expression => Rule {
                expressions: vec![expression],
                ..Rule::default()
            },
        }
    }
}

words! {
    /// How an attribute is compared.
    Comparison {
        /// It is below the value.
        Less = "lt",
        /// It is above the value.
        Greater = "gt",
        /// It is the value or below.
        LessOrEqual = "lte",
        /// It is the value or above.
        GreaterOrEqual = "gte",
        /// It is the value.
        Equal = "eq",
        /// It is not the value.
        NotEqual = "ne",
        /// There is one.
        Defined = "defined",
        /// There is none.
        NotDefined = "not_defined",
    }
}

words! {
    /// As what the values of attributes are compared.
    ComparisonType {
        /// As text, without case.
        String = "string",
        /// As whole numbers.
        Integer = "integer",
        /// As numbers.
        Number = "number",
        /// As versions.
        Version = "version",
    }
}

words! {
    /// What the value of an expression is.
    ValueSource {
        /// The value itself.
        Literal = "literal",
        /// The name of a parameter of the resource.
        Parameter = "param",
        /// The name of a meta-attribute of the resource.
        Meta = "meta",
    }
}

part! {
    /// An expression about an attribute of a node.
    AttributeExpression {
        /// Its id.
        id: Option<Id> = own "id",
        /// The name of the attribute.
        attribute: String = required "attribute",
        /// How it is compared.
        operation: Comparison = required "operation",
        /// With what it is compared.
        value: Option<String> = optional "value",
        /// As what both are compared.
        comparison_type: Option<ComparisonType> = optional "type",
        /// What the value is.
        value_source: Option<ValueSource> = optional "value-source",
    }
}

impl AttributeExpression {
    fn new(attribute: &str, operation: Comparison) -> Self {
        Self {
            id: None,
            attribute: attribute.to_owned(),
            operation,
            value: None,
            comparison_type: None,
            value_source: None,
            rest: Rest::default(),
        }
    }

    pub(super) fn with(
        attribute: &str,
        operation: Comparison,
        value: impl Into<Value>,
        comparison_type: Option<ComparisonType>,
    ) -> Self {
        Self {
            value: Some(value.into().reveal().to_owned()),
            comparison_type,
            ..Self::new(attribute, operation)
        }
    }

    fn number(attribute: &str, operation: Comparison, value: i64) -> Expression {
        Self::with(attribute, operation, value, Some(ComparisonType::Number)).into()
    }
}

part! {
    /// An expression about the resource that takes a default.
    ResourceExpression {
        /// Its id.
        id: Option<Id> = own "id",
        /// The standard of its agent: `ocf`, `systemd` ....
        standard: Option<String> = optional "class",
        /// The provider of its agent.
        provider: Option<String> = optional "provider",
        /// The type of its agent.
        kind: Option<String> = optional "type",
    }
}

part! {
    /// An expression about the operation that takes a default.
    OperationExpression {
        /// Its id.
        id: Option<Id> = own "id",
        /// The name of the operation.
        name: String = required "name",
        /// Its interval.
        interval: Option<Interval> = optional "interval",
    }
}
