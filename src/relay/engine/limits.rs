//! The filters, tests, functions and operators of a template, each with a bound on what it makes. Pure.
//!
//! Every value has a weight, about the bytes that it takes. No value may weigh more than [`MOST_TEXT`], and all that is
//! made or looked at in one run no more than [`MOST_WEIGHT`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::functions::{dict, range};
use minijinja::value::{Rest, Tuple, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, escape_formatter, filters, tests};

/// The heaviest value.
pub const MOST_TEXT: usize = 2 << 20;

/// What all values of a run may weigh together.
pub const MOST_WEIGHT: usize = 16 << 20;

/// The weight of a value that is not text, and of a place in a list.
const PLACE: usize = 32;

/// How deep lists and maps may lie in each other.
const DEEPEST: usize = 30;

/// The largest number that a filter may be given where it makes so much of something.
const LARGEST_NUMBER: usize = 1_000;

/// How many numbers a range may have.
const LONGEST_RANGE: usize = 10_000;

/// The operators that make or compare values, by the names that stand for them in compiled steps.
const OPERATORS: [(&str, &str); 11] = [
    ("+", "a + b"),
    ("*", "a * b"),
    ("~", "a ~ b"),
    ("[:]", "a[b:c:d]"),
    ("==", "a == b"),
    ("!=", "a != b"),
    ("<", "a < b"),
    ("<=", "a <= b"),
    (">", "a > b"),
    (">=", "a >= b"),
    ("in", "a in b"),
];

/// What is left of the budget of one run.
#[derive(Clone)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// What is left; nothing once more was wanted than there was.
    pub fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn spend(&self, weight: usize) -> Result<(), Error> {
        let spent = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(weight));
        spent.map(|_| ()).map_err(|_| {
            self.0.store(0, Ordering::Relaxed);
            wrong(format!("all that it makes comes to more than {} MiB", MOST_WEIGHT >> 20))
        })
    }

    fn weigh<'a>(&self, values: impl IntoIterator<Item = &'a Value>) -> Result<(), Error> {
        let mut left = MOST_TEXT;
        for value in values {
            weigh(value, &mut left, 0)?;
        }
        self.spend(MOST_TEXT - left)
    }
}

/// Gives an environment all that a template may use, and answers with what is left of this weight.
pub fn put_on(environment: &mut Environment<'_>, weight: usize) -> Budget {
    let budget = Budget(Arc::new(AtomicUsize::new(weight)));
    let shared = budget.clone();
    let operators = Arc::new(operators());
    for (name, expression) in OPERATORS {
        let (budget, operators) = (budget.clone(), Arc::clone(&operators));
        environment.add_filter(name, move |state: &mut State, args: Rest<Value>| {
            operate(&operators, &budget, state, name, expression, &args)
        });
    }
    let (list, tuple, map) = (budget.clone(), budget.clone(), budget.clone());
    environment.add_filter("[]", move |args: Rest<Value>| list.weigh(args.iter()).map(|()| Value::from(args.0)));
    environment
        .add_filter("()", move |args: Rest<Value>| tuple.weigh(args.iter()).map(|()| Value::from(Tuple::from(args.0))));
    environment.add_filter("{}", move |args: Rest<Value>| {
        map.weigh(args.iter())?;
        let pairs = args.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        Ok(Value::from_iter(pairs))
    });
    for (name, filter) in all_filters() {
        let budget = budget.clone();
        environment.add_filter(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            let args = args.into_values();
            foresee(name, &args)?;
            if !is_cheap(name) {
                budget.weigh(args.iter())?;
            }
            settled(filter.call(state, &args)?, &budget)
        });
    }
    for (name, test) in all_tests() {
        let budget = budget.clone();
        environment.add_test(name, move |state: &mut State, args: Rest<Value>| {
            if !is_cheap(name) {
                budget.weigh(args.iter())?;
            }
            test.call(state, &args)
        });
    }
    environment.add_function("dict", dict);
    let numbers = budget.clone();
    environment.add_function("range", move |lower: isize, upper: Option<isize>, step: Option<isize>| {
        let all = range(lower, upper, step)?;
        match all.len() {
            Some(length) if length <= LONGEST_RANGE => settled(all, &numbers),
            _ => Err(wrong(format!("a range may have {LONGEST_RANGE} numbers at most"))),
        }
    });
    environment.set_formatter(move |out, state, value| {
        budget.weigh([value])?;
        escape_formatter(out, state, value)
    });
    shared
}

/// Where operators are worked out, once their operands are known to be small, and to be there where the template wants that.
fn operators() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment
}

fn operate(
    operators: &Environment<'_>,
    budget: &Budget,
    state: &State,
    name: &str,
    expression: &'static str,
    args: &[Value],
) -> Result<Value, Error> {
    for value in args {
        if value.is_undefined() {
            // Says which variable it is.
            filters::string(state, value)?;
        }
    }
    budget.weigh(args)?;
    let [a, b, ..] = args else { return Err(Error::from(ErrorKind::MissingArgument)) };
    if name == "*" {
        let size = |value: &Value| match value.kind() {
            ValueKind::Number => value.as_usize().unwrap_or(1),
            ValueKind::String => value.as_str().map_or(0, str::len),
            _ => value.len().unwrap_or(0).saturating_mul(PLACE),
        };
        let is_number = |value: &Value| value.kind() == ValueKind::Number;
        if !(is_number(a) && is_number(b)) && size(a).saturating_mul(size(b)) > MOST_TEXT {
            return Err(too_large());
        }
    }
    let nothing = Value::from(());
    let operand = |at: usize| args.get(at).unwrap_or(&nothing).clone();
    let operands = minijinja::context! { a => operand(0), b => operand(1), c => operand(2), d => operand(3) };
    let value = operators.compile_expression(expression)?.eval(operands)?;
    settled(value, budget)
}

/// A value as it may be kept: weighed, and no promise to make something later.
fn settled(value: Value, budget: &Budget) -> Result<Value, Error> {
    budget.weigh([&value])?;
    if value.kind() == ValueKind::Iterable {
        return Ok(Value::from(value.try_iter()?.collect::<Vec<Value>>()));
    }
    Ok(value)
}

/// Takes the weight of a value from what is left.
fn weigh(value: &Value, left: &mut usize, depth: usize) -> Result<(), Error> {
    if depth > DEEPEST {
        return Err(wrong(format!("its lists lie more than {DEEPEST} deep in each other")));
    }
    let own = value.as_str().map_or(PLACE, |text| PLACE + text.len());
    *left = left.checked_sub(own).ok_or_else(too_large)?;
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter()? {
                weigh(&item, left, depth + 1)?;
            }
        }
        ValueKind::Map => {
            for key in value.try_iter()? {
                weigh(&value.get_item(&key)?, left, depth + 1)?;
                weigh(&key, left, depth + 1)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Refuses a filter whose result would be too large, before it is made.
fn foresee(name: &str, args: &[Value]) -> Result<(), Error> {
    let text = args.first().and_then(Value::as_str).unwrap_or_default();
    let word = |at: usize| args.get(at).and_then(Value::as_str).unwrap_or_default();
    let size = match name {
        "replace" => text.matches(word(1)).count().saturating_mul(word(2).len()),
        "join" => args.first().and_then(Value::len).unwrap_or(0).saturating_mul(word(1).len()),
        "indent" | "batch" | "slice" | "round" => {
            let amount = largest(args.get(1..).unwrap_or_default());
            if amount > LARGEST_NUMBER {
                return Err(wrong(format!("{name} takes {LARGEST_NUMBER} at most")));
            }
            if name == "indent" { text.matches('\n').count().saturating_mul(amount) } else { 0 }
        }
        "format" => {
            let numbers = text.split(|c: char| !c.is_ascii_digit());
            if text.contains('*') || numbers.into_iter().any(|number| number.len() > 3) {
                return Err(wrong("format takes widths of at most 999, which stand in its text"));
            }
            0
        }
        _ => 0,
    };
    if size > MOST_TEXT { Err(too_large()) } else { Ok(()) }
}

/// The largest number among arguments, named ones too; texts count as their length.
fn largest(args: &[Value]) -> usize {
    let size = |value: &Value| match value.kind() {
        ValueKind::Number => value.as_usize().unwrap_or(if value.as_i64().is_some() { 0 } else { usize::MAX }),
        _ => value.as_str().map_or(0, str::len),
    };
    let mut most = 0;
    for value in args {
        most = most.max(size(value));
        if value.kind() == ValueKind::Map {
            let named = value.try_iter().into_iter().flatten().filter_map(|key| value.get_item(&key).ok());
            most = most.max(named.map(|value| size(&value)).max().unwrap_or(0));
        }
    }
    most
}

/// Whether a filter or test looks at no more than the outside of its values.
fn is_cheap(name: &str) -> bool {
    [
        "length",
        "count",
        "default",
        "d",
        "first",
        "attr",
        "int",
        "float",
        "bool",
        "abs",
        "defined",
        "undefined",
        "none",
        "true",
        "false",
        "string",
        "number",
        "mapping",
        "sequence",
        "iterable",
        "boolean",
        "integer",
        "odd",
        "even",
    ]
    .contains(&name)
}

/// Jinja's filters, but for `sum`, which can add up texts without end.
fn all_filters() -> Vec<(&'static str, Value)> {
    vec![
        ("safe", Value::from_function(filters::safe)),
        ("escape", Value::from_function(filters::escape)),
        ("e", Value::from_function(filters::escape)),
        ("lower", Value::from_function(filters::lower)),
        ("upper", Value::from_function(filters::upper)),
        ("title", Value::from_function(filters::title)),
        ("capitalize", Value::from_function(filters::capitalize)),
        ("replace", Value::from_function(filters::replace)),
        ("length", Value::from_function(filters::length)),
        ("count", Value::from_function(filters::length)),
        ("dictsort", Value::from_function(filters::dictsort)),
        ("items", Value::from_function(filters::items)),
        ("reverse", Value::from_function(filters::reverse)),
        ("trim", Value::from_function(filters::trim)),
        ("join", Value::from_function(filters::join)),
        ("split", Value::from_function(filters::split)),
        ("lines", Value::from_function(filters::lines)),
        ("default", Value::from_function(filters::default)),
        ("d", Value::from_function(filters::default)),
        ("round", Value::from_function(filters::round)),
        ("abs", Value::from_function(filters::abs)),
        ("int", Value::from_function(filters::int)),
        ("float", Value::from_function(filters::float)),
        ("attr", Value::from_function(filters::attr)),
        ("first", Value::from_function(filters::first)),
        ("last", Value::from_function(filters::last)),
        ("min", Value::from_function(filters::min)),
        ("max", Value::from_function(filters::max)),
        ("sort", Value::from_function(filters::sort)),
        ("list", Value::from_function(filters::list)),
        ("string", Value::from_function(filters::string)),
        ("bool", Value::from_function(filters::bool)),
        ("batch", Value::from_function(filters::batch)),
        ("slice", Value::from_function(filters::slice)),
        ("indent", Value::from_function(filters::indent)),
        ("select", Value::from_function(filters::select)),
        ("reject", Value::from_function(filters::reject)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
        ("map", Value::from_function(filters::map)),
        ("groupby", Value::from_function(filters::groupby)),
        ("unique", Value::from_function(filters::unique)),
        ("chain", Value::from_function(filters::chain)),
        ("zip", Value::from_function(filters::zip)),
        ("pprint", Value::from_function(filters::pprint)),
        ("format", Value::from_function(filters::format)),
    ]
}

/// Jinja's tests.
fn all_tests() -> Vec<(&'static str, Value)> {
    vec![
        ("undefined", Value::from_function(tests::is_undefined)),
        ("defined", Value::from_function(tests::is_defined)),
        ("none", Value::from_function(tests::is_none)),
        ("boolean", Value::from_function(tests::is_boolean)),
        ("odd", Value::from_function(tests::is_odd)),
        ("even", Value::from_function(tests::is_even)),
        ("divisibleby", Value::from_function(tests::is_divisibleby)),
        ("number", Value::from_function(tests::is_number)),
        ("integer", Value::from_function(tests::is_integer)),
        ("int", Value::from_function(tests::is_integer)),
        ("float", Value::from_function(tests::is_float)),
        ("string", Value::from_function(tests::is_string)),
        ("sequence", Value::from_function(tests::is_sequence)),
        ("iterable", Value::from_function(tests::is_iterable)),
        ("mapping", Value::from_function(tests::is_mapping)),
        ("startingwith", Value::from_function(tests::is_startingwith)),
        ("endingwith", Value::from_function(tests::is_endingwith)),
        ("lower", Value::from_function(tests::is_lower)),
        ("upper", Value::from_function(tests::is_upper)),
        ("sameas", Value::from_function(tests::is_sameas)),
        ("eq", Value::from_function(tests::is_eq)),
        ("equalto", Value::from_function(tests::is_eq)),
        ("==", Value::from_function(tests::is_eq)),
        ("ne", Value::from_function(tests::is_ne)),
        ("!=", Value::from_function(tests::is_ne)),
        ("lt", Value::from_function(tests::is_lt)),
        ("lessthan", Value::from_function(tests::is_lt)),
        ("<", Value::from_function(tests::is_lt)),
        ("le", Value::from_function(tests::is_le)),
        ("<=", Value::from_function(tests::is_le)),
        ("gt", Value::from_function(tests::is_gt)),
        ("greaterthan", Value::from_function(tests::is_gt)),
        (">", Value::from_function(tests::is_gt)),
        ("ge", Value::from_function(tests::is_ge)),
        (">=", Value::from_function(tests::is_ge)),
        ("in", Value::from_function(tests::is_in)),
        ("true", Value::from_function(tests::is_true)),
        ("false", Value::from_function(tests::is_false)),
    ]
}

fn too_large() -> Error {
    wrong(format!("it makes a value of more than {} MiB", MOST_TEXT >> 20))
}

fn wrong(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail)
}
