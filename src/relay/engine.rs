//! Runs a template within limits: whatever it says, it ends soon and takes little memory. Pure.
//!
//! The library counts steps, not bytes: one step can make a hundred megabytes. So its compiled steps are looked through
//! before they run, and every operator that can make a value is replaced by a function that first asks how large the
//! result would be ([`limits`]). What cannot be bounded this way is refused.

mod limits;

use minijinja::machinery::{
    CodeGenerator, Instruction, Instructions, Token, eval, make_string_output, parse, tokenize,
};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use limits::{MOST_TEXT, MOST_WEIGHT};

/// The largest template, in bytes.
pub const LARGEST_TEMPLATE: usize = 64 * 1024;

/// How many steps a template may run.
const MOST_STEPS: u64 = 20_000;

/// How many steps the templates of a delivery may run together. One that does nothing but count takes some ten nanoseconds.
const MOST_STEPS_TOGETHER: u64 = 10_000_000;

/// What all values may weigh together that the templates of a delivery make, with what it takes to read the templates.
const MOST_WEIGHT_TOGETHER: usize = 2 * MOST_WEIGHT;

/// What it takes to read a template, as weight for each of its bytes.
const READING: usize = 4;

/// What a run that fails counts for, in steps: the library does not say how many it took.
const STEPS_OF_A_FAILURE: u64 = 500;

/// How much of a template's own text may be written, in bytes: a loop repeats it.
const MOST_OWN_TEXT: u64 = 64 << 20;

/// How many words, numbers and signs may stand in one `{{ }}` or `{% %}`: deeper nesting would use up the stack.
const MOST_TOKENS: usize = 400;

/// How many `{{ }}` and `{% %}` there may be.
const MOST_TAGS: usize = 2_000;

/// How many `elif` there may be: they are nested like brackets.
const MOST_ELIFS: usize = 100;

/// The flag of a loop that can call itself.
const RECURSIVE: u8 = 2;

/// The functions that a template may call.
pub const FUNCTIONS: [&str; 2] = ["dict", "range"];

/// What is wrong with a template, and where. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub line: usize,
    pub detail: String,
    /// Whether it names a filter, test or function that does not exist.
    pub is_unknown_name: bool,
    /// Whether it goes beyond what it may take, alone or with others.
    pub is_limit: bool,
}

/// What is left for the runs of templates: steps, and the weight of the values that they make.
#[derive(Debug, Clone)]
pub struct Allowance {
    steps: u64,
    weight: usize,
}

impl Allowance {
    /// For one run of one template.
    pub fn of_a_template() -> Allowance {
        Allowance { steps: MOST_STEPS, weight: MOST_WEIGHT }
    }

    /// For all runs over the parts of one delivery, of which none has more than a template alone.
    pub fn of_a_delivery() -> Allowance {
        Allowance { steps: MOST_STEPS_TOGETHER, weight: MOST_WEIGHT_TOGETHER }
    }

    /// Whether nothing is left.
    pub fn is_used_up(&self) -> bool {
        self.steps == 0 || self.weight == 0
    }
}

/// What `text` comes to with the variables in `root`; what that takes is taken from the allowance.
///
/// # Errors
/// When it is no template, fails on these variables, or goes beyond a limit.
pub fn render(
    text: &str,
    root: Value,
    undefined: UndefinedBehavior,
    allowance: &mut Allowance,
) -> Result<String, Fault> {
    look_through(text)?;
    let mut instructions = compiled(text)?;
    let longest = bounded(&mut instructions)?;
    let mut environment = Environment::empty();
    let weight = allowance.weight.min(MOST_WEIGHT);
    let budget = limits::put_on(&mut environment, weight);
    environment.set_undefined_behavior(undefined);
    environment.set_debug(true);
    let steps = allowance.steps.min(MOST_STEPS).min(MOST_OWN_TEXT / longest.max(1));
    environment.set_fuel(Some(steps));
    let blocks = std::collections::BTreeMap::new();
    let mut rendered = String::new();
    let mut out = make_string_output(&mut rendered);
    let ended = eval(&environment, &instructions, root, &blocks, &mut out, AutoEscape::None);
    let ended = ended.map(|(_, state)| state.fuel_levels().map_or(steps, |(taken, _)| taken));
    let is_limit = budget.left() == 0 || ended.as_ref().is_err_and(|error| error.kind() == ErrorKind::OutOfFuel);
    let taken = match &ended {
        Ok(taken) => *taken,
        Err(_) if is_limit => steps,
        Err(_) => STEPS_OF_A_FAILURE.min(steps),
    };
    allowance.steps = allowance.steps.saturating_sub(taken);
    allowance.weight = allowance.weight.saturating_sub(weight - budget.left() + READING * text.len());
    ended.map_err(|error| Fault { is_limit, ..fault(&error) })?;
    Ok(rendered)
}

/// Finds what is wrong before anything runs.
///
/// # Errors
/// When it is no template, or has something in it that is not taken.
pub fn check(text: &str) -> Result<(), Fault> {
    look_through(text)?;
    bounded(&mut compiled(text)?)?;
    Ok(())
}

fn compiled(text: &str) -> Result<Instructions<'_>, Fault> {
    let tree = parse(text, "prompt", SyntaxConfig::default()).map_err(|error| fault(&error))?;
    let mut generator = CodeGenerator::new("prompt", text);
    generator.compile_stmt(&tree);
    Ok(generator.finish().0)
}

/// Looks at the words and signs of a template before it is compiled, because constants are multiplied while it is.
fn look_through(text: &str) -> Result<(), Fault> {
    if text.len() > LARGEST_TEMPLATE {
        return Err(refused(1, format!("it is larger than {} KiB", LARGEST_TEMPLATE / 1024)));
    }
    let (mut tags, mut tokens, mut size, mut repeats) = (0, 0, 1.0, false);
    let mut elifs = 0;
    for token in tokenize(text, false, SyntaxConfig::default()) {
        let (token, span) = token.map_err(|error| fault(&error))?;
        let line = usize::from(span.start_line);
        let factor = |number: f64| 1.0 + number.abs().max(1.0 / number.abs().max(1e-9));
        tokens += 1;
        match &token {
            Token::VariableStart | Token::BlockStart => {
                tags += 1;
                (tokens, size, repeats) = (0, 1.0, false);
            }
            Token::Ident("elif") => elifs += 1,
            Token::Mul => repeats = true,
            Token::Pow => return Err(refused(line, "it takes a number to a power, which a prompt has no use for")),
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            Token::Int(number) => size *= 1.0 + (*number).max(1) as f64,
            Token::Int128(_) => size = f64::INFINITY,
            Token::Float(number) => size *= factor(*number),
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            Token::Str(word) => size *= 1.0 + word.len() as f64,
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            Token::String(word) => size *= 1.0 + word.len() as f64,
            _ => {}
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        if repeats && size > MOST_TEXT as f64 {
            return Err(refused(line, "it multiplies by too much"));
        }
        if elifs > MOST_ELIFS {
            return Err(refused(line, format!("it has more than {MOST_ELIFS} elif")));
        }
        if tags > MOST_TAGS || tokens > MOST_TOKENS {
            let most = format!("{MOST_TAGS} tags, or more than {MOST_TOKENS} parts in one");
            return Err(refused(line, format!("it has more than {most}")));
        }
    }
    Ok(())
}

/// Replaces the steps that can make large values, and answers with the length of the longest own text.
fn bounded(instructions: &mut Instructions<'_>) -> Result<u64, Fault> {
    let mut longest = 0;
    let mut at = 0;
    while let Some(instruction) = instructions.get(at) {
        let many = |count: usize| u16::try_from(count).ok();
        let (name, count) = match instruction {
            Instruction::Add => ("+", Some(2)),
            Instruction::Mul => ("*", Some(2)),
            Instruction::StringConcat => ("~", Some(2)),
            Instruction::Slice => ("[:]", Some(4)),
            Instruction::Eq => ("==", Some(2)),
            Instruction::Ne => ("!=", Some(2)),
            Instruction::Lt => ("<", Some(2)),
            Instruction::Lte => ("<=", Some(2)),
            Instruction::Gt => (">", Some(2)),
            Instruction::Gte => (">=", Some(2)),
            Instruction::In => ("in", Some(2)),
            Instruction::BuildList(Some(count)) => ("[]", many(*count)),
            Instruction::BuildTuple(Some(count)) => ("()", many(*count)),
            Instruction::BuildMap(count) => ("{}", many(2 * count)),
            Instruction::EmitRaw(text) => {
                longest = longest.max(text.len() as u64);
                at += 1;
                continue;
            }
            instruction => {
                let line = instructions.get_line(at).unwrap_or(1);
                refusal(instruction).map_or(Ok(()), |why| Err(refused(line, why)))?;
                at += 1;
                continue;
            }
        };
        let line = instructions.get_line(at).unwrap_or(1);
        let Some(count) = count else { return Err(refused(line, "it lists too much")) };
        if let Some(instruction) = instructions.get_mut(at) {
            *instruction = Instruction::ApplyFilter(name, Some(count), u8::MAX);
        }
        at += 1;
    }
    Ok(longest)
}

/// Why a step cannot be run within limits.
fn refusal(instruction: &Instruction<'_>) -> Option<&'static str> {
    match instruction {
        Instruction::BeginCapture(_) => Some(
            "{% set %} and {% filter %} around text are not supported here: use {% set name = … %} or {{ …|filter }}",
        ),
        Instruction::PushLoop(flags) if flags & RECURSIVE != 0 => Some("recursive loops are not supported here"),
        // What a method looks at is not weighed: `loop.changed` compares all that it is given. `loop.cycle` only picks,
        // and divides by the number of its arguments, which are counted with the loop here.
        Instruction::CallMethod("cycle", Some(2..)) => None,
        Instruction::CallMethod("cycle", _) => Some("loop.cycle needs something to choose from"),
        Instruction::CallMethod(..) => {
            Some("methods are not supported here: {{ name|upper }} takes the place of {{ name.upper() }}")
        }
        Instruction::CallObject(_) => Some("only functions can be called, by their names"),
        Instruction::FastRecurse => Some("recursive loops are not supported here"),
        Instruction::CompareAndPreserve(_) => Some("chained comparisons are not supported here: join two by \"and\""),
        Instruction::Pow => Some("it takes a number to a power, which a prompt has no use for"),
        Instruction::BuildList(None)
        | Instruction::BuildTuple(None)
        | Instruction::UnpackLists(_)
        | Instruction::MergeKwargs(_) => Some("arguments with * and ** are not supported here"),
        _ => None,
    }
}

fn refused(line: usize, detail: impl Into<String>) -> Fault {
    Fault { line, detail: detail.into(), is_unknown_name: false, is_limit: false }
}

fn fault(error: &Error) -> Fault {
    let detail = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it runs too long: shorten its loops".to_string(),
        (ErrorKind::InvalidOperation, Some(detail)) => detail.to_string(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    let is_unknown_name =
        matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction);
    Fault { line: error.line().unwrap_or(1), detail, is_unknown_name, is_limit: false }
}

#[cfg(test)]
mod tests;
