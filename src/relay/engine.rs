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

use limits::MOST_TEXT;

/// The largest template, in bytes.
pub const LARGEST_TEMPLATE: usize = 64 * 1024;

/// How many steps a template may run.
const MOST_STEPS: u64 = 20_000;

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
}

/// What `text` comes to with the variables in `root`.
///
/// # Errors
/// When it is no template, fails on these variables, or goes beyond a limit.
pub fn render(text: &str, root: Value, undefined: UndefinedBehavior) -> Result<String, Fault> {
    look_through(text)?;
    let mut instructions = compiled(text)?;
    let longest = bounded(&mut instructions)?;
    let mut environment = Environment::empty();
    limits::put_on(&mut environment);
    environment.set_undefined_behavior(undefined);
    environment.set_debug(true);
    environment.set_fuel(Some(MOST_STEPS.min(MOST_OWN_TEXT / longest.max(1))));
    let blocks = std::collections::BTreeMap::new();
    let mut rendered = String::new();
    let mut out = make_string_output(&mut rendered);
    let ended = eval(&environment, &instructions, root, &blocks, &mut out, AutoEscape::None);
    ended.map_err(|error| fault(&error))?;
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
    Fault { line, detail: detail.into(), is_unknown_name: false }
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
    Fault { line: error.line().unwrap_or(1), detail, is_unknown_name }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a template comes to: its text, or what is wrong with it.
    fn check(text: &str) -> String {
        let data = "x".repeat(24 * 1024);
        let root = serde_json::json!({"data": data, "list": ["a", "b"], "map": {"k": "v"}});
        let root = Value::from(minijinja::value::Serde(&root));
        match render(text, root, UndefinedBehavior::Strict) {
            Ok(text) if text.len() > 80 => format!("{} bytes", text.len()),
            Ok(text) => text,
            Err(fault) => format!("line {}: {}", fault.line, fault.detail),
        }
    }

    #[test]
    fn what_templates_are_written_with_works() {
        let templates = [
            "{{ 'a' ~ 1 ~ list[0] }} {{ 1 + 2 * 3 }} {{ '-' * 5 }} {{ 'a' + 'b' }} {{ list + ['c'] }} {{ 7 // 2 }} {{ 7 % 2 }}",
            "{{ 'abcdef'[1:4] }} {{ 'abc'[::-1] }} {{ list[:1] }} {{ (1, 2) }} {{ {'a': 1} }} {{ 'a' in list }} {{ 'a' not in list }}",
            "{% for k, v in map|items %}{{ k }}={{ v }}{% endfor %} {% for i in range(3) %}{{ loop.index }}{% if not loop.last %},{% endif %}{% endfor %}",
            "{% set n = 2 %}{{ n == 2 }} {{ n < 3 and n >= 1 }} {{ 'x' if n != 2 else 'y' }} {{ list|join(', ') }} {{ list|length }}",
            "{{ 'a b'|replace(' ', '_') }} {{ 'a\nb'|indent(2) }} {{ '%5.2f|%s'|format(1.5, 'x') }} {{ list|map('upper')|list }} {{ 'A'|lower }}",
            "{{ list is defined }} {{ list|select('equalto', 'b')|first }} {{ none|default('d', true) }} {{ 'x'|e }} {{ dict(a=1).a }}",
            "{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{% endfor %}{% with a = 1 %}{{ a }}{% endwith %} {{ list|sort(reverse=true)|join }} {{ [3, 1]|min }} {{ '5'|int + 1 }} {{ 'a,b'|split(',') }}",
        ];
        let said: Vec<String> = templates.iter().map(|text| check(text)).collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    /// None of these may take much time or memory; that this test ends at all is most of what it says.
    #[test]
    fn a_hostile_template_is_an_error() {
        let doubling = "{% set a = data %}".to_string() + &"{% set a = a ~ a %}".repeat(60) + "{{ a|length }}";
        let adding = "{% set a = 'x' %}".to_string() + &"{% set a = a + a %}".repeat(60) + "{{ a|length }}";
        let lists = "{% set a = [1] %}".to_string() + &"{% set a = [a, a] %}".repeat(60) + "{{ a }}";
        let maps = "{% set a = {} %}".to_string() + &"{% set a = {'a': a, 'b': a} %}".repeat(60) + "{{ a == a }}";
        let tuples = "{% set a = () %}".to_string() + &"{% set a = (a, a) %}".repeat(60) + "{{ a }}";
        let deep = "{% set a = [] %}".to_string() + &"{% set a = [a] %}".repeat(1_500) + "{{ a }}";
        let nested = "{% for a in [data ~ data] %}".repeat(3)
            + &"{% for a in [a ~ a] %}".repeat(40)
            + "{{ a|length }}"
            + &"{% endfor %}".repeat(43);
        let chained = "{{ data".to_string() + &"|replace('x', 'xxxxxxxxxxxxxxxx')".repeat(10) + "}}";
        let raw = "{% for i in range(9999) %}".to_string() + &"y".repeat(60_000) + "{% endfor %}";
        let mut hostile: Vec<(&str, String)> = vec![
            ("doubling with ~", doubling),
            ("doubling with +", adding),
            ("lists in lists", lists),
            ("maps in maps", maps),
            ("tuples in tuples", tuples),
            ("deep", deep),
            ("nested loops", nested),
            ("replace", chained),
            ("own text", raw),
            ("a long chain", "{{ 'a'".to_string() + &"~'a'".repeat(10_000) + "}}"),
            ("a long sum", "{{ 1".to_string() + &"+1".repeat(30_000) + "}}"),
            ("filters", "{{ data".to_string() + &"|upper".repeat(9_000) + "}}"),
            ("attributes", "{{ data".to_string() + &".a".repeat(30_000) + "}}"),
            ("brackets", "{{ ".to_string() + &"[".repeat(60_000)),
            ("parentheses", "{{ ".to_string() + &"(".repeat(60_000)),
            ("nots", "{{ ".to_string() + &"not ".repeat(15_000) + "x }}"),
            ("minus", "{{ ".to_string() + &"-".repeat(60_000) + "1 }}"),
            ("ifs", "{% if 1 %}".repeat(6_000)),
            ("elifs", "{% if 0 %}".to_string() + &"{% elif 0 %}".repeat(5_000) + "{% endif %}"),
            ("elifs, fewer", "{% if 0 %}".to_string() + &"{% elif 0 %}".repeat(100) + "{% endif %}"),
            ("ifs, fewer", "{% if 1 %}".repeat(140) + &"{% endif %}".repeat(140)),
            ("brackets, fewer", "{{ ".to_string() + &"[".repeat(140) + &"]".repeat(140) + "}}"),
            ("a chain, fewer", "{{ data".to_string() + &"~data".repeat(190) + "}}"),
            ("filters, fewer", "{{ data".to_string() + &"|upper".repeat(190) + "}}"),
            ("attributes, fewer", "{{ data".to_string() + &".a".repeat(190) + "}}"),
            ("nots, fewer", "{{ ".to_string() + &"not ".repeat(390) + "x }}"),
            ("large", "x".repeat(70_000)),
        ];
        let short = [
            "{{ 'x' * 10**9 }}",
            "{{ 'x' * 1000000000 }}",
            "{{ ('x' * 30000) ~ ('x' * 30000) }}",
            "{{ data * 99999 }}",
            "{{ data * (data|length) }}",
            "{{ [1] * 99999999 }}",
            "{{ list * (data|length) * (data|length) }}",
            "{{ [1] * (1 / 0.0000001) }}",
            "{{ data|indent(99999999999) }}",
            "{{ ('\n' * 9000)|indent(900) }}",
            "{{ data|indent('x' * 30000) }}",
            "{{ '%099999999999d'|format(1) }}",
            "{{ '%*d'|format(999999999, 1) }}",
            "{{ '%.999999999f'|format(1) }}",
            "{{ data|replace('', data) }}",
            "{{ data|list|join(data) }}",
            "{{ data|batch(99999999999, 'x') }}",
            "{{ data|slice(99999999999) }}",
            "{{ list|batch(900)|batch(900)|batch(900)|pprint }}",
            "{% for i in range(100000) %}{% for j in range(100000) %}{{ i }}{% endfor %}{% endfor %}",
            "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
            "{% for i in range(9999) %}{{ data }}{% endfor %}",
            "{% for i in range(9999) %}{% if data|upper == data|lower %}{% endif %}{% endfor %}",
            "{% for i in range(9999) %}{% if data is eq(data) %}{% endif %}{% endfor %}",
            "{% for i in data * 50 %}{% endfor %}",
            "{{ range(99999999999999) }}",
            "{{ range(0, 99999999999999, 2)|list }}",
            "{% set ns = namespace(a='x') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
            "{% set a %}{{ data }}{% endset %}",
            "{% filter upper %}{{ data }}{% endfilter %}",
            "{% for a in list recursive %}{{ loop([a, a]) }}{% endfor %}",
            "{{ range(*data) }}",
            "{{ dict(**map) }}",
            "{{ 1 < 2 < 3 }}",
            "{{ debug() }}",
            "{{ data|chain(data)|list }}{{ list|zip(data)|list }}",
            "{{ list|sum(start='') }}",
            "{{ data|map('replace', 'x', data)|list }}",
            "{{ 'x'|round(999999999) }}{{ 1.5|round(999999999) }}",
            "{% for i in range(90) %}{% if loop.changed(data, data, data) %}{% endif %}{% endfor %}",
            "{% for i in range(90) %}{% if loop['changed'](data) %}{% endif %}{% endfor %}",
            "{% for i in range(90) %}{% set f = loop.changed %}{{ f(data) }}{% endfor %}",
            "{{ data.upper() }}",
            "{% for i in range(3) %}{{ loop.cycle() }}{% endfor %}",
            "{% for i in range(3) %}{{ loop.cycle(*list) }}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% include 'x' %}",
        ];
        hostile.extend(short.iter().map(|text| (*text, (*text).to_string())));
        let said: Vec<String> = hostile
            .iter()
            .map(|(name, text)| {
                let started = std::time::Instant::now();
                let said = check(text);
                // Hundreds of times what they take: only something that does not end soon fails here.
                assert!(started.elapsed().as_secs() < 20, "{name} takes {:?}", started.elapsed());
                format!("{}: {said}", name.replace('\n', "\\n"))
            })
            .collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
