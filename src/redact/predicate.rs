//! What is said of a password after `is`: any other word that ends its clause is one. Pure.

/// A language by its words for a password: the ends of names, words that something can be, and how more of them end.
struct Language {
    names: &'static str,
    words: &'static str,
    endings: &'static str,
}

/// The shortest word that is told by its ending.
const SHORTEST: usize = 5;

/// Languages other than English. `password` is Italian, too.
const LANGUAGES: [Language; 5] = [
    Language {
        names: "passwort kennwort",
        words: "falsch anders richtig korrekt leer alt neu kurz lang schwach stark sicher unsicher gleich fällig weg hier dort da nicht \
            kein noch schon jetzt pflicht geheim bekannt unbekannt teil öffentlich privat zu zwar erforderlich inkorrekt",
        endings: "tig lich bar haft iert igt lert cht ert elt ekt gig ssen rrt ckt tzt llen üft aubt eilt rren den eben lassen nnen ten",
    },
    Language {
        names: "wachtwoord",
        words: "onjuist verkeerd fout leeg oud nieuw kort lang zwak sterk gelijk niet geen nog al verlopen veranderd geheim verplicht",
        endings: "igd erd eerd ggd ld kt pen ken ten len ven gen ig lijk baar",
    },
    Language {
        names: "motdepasse",
        words: "faux fausse vide court courte long longue faible fort forte bon bonne mauvais nouveau ancien trop pas dans ici \
            obligatoire perdu perdue connu connue inconnu inconnue requis correct",
        endings: "é ée ie ise ite ect ecte ide ant ent eux euse aire ique uel uelle able ible",
    },
    Language {
        names: "contraseña contrasena clave senha",
        words: "vacía vacío vazia vazio corta corto curta curto larga largo longa longo débil fuerte fraca fraco forte nueva nuevo nova \
            novo vieja viejo velha velho mala malo ruim buena bueno boa bom igual diferente muy muito no não aquí aqui pública público \
            errónea errônea única correta correto secreto obsoleta completa incompleta peligrosa perigosa válida válido inválida inválido requerida secreta fácil simple simples",
        endings: "ada ado ida ido ecta ecto uta uto ita ito ata ato erta erto iva ivo aria ario oria orio ible able \
            ável ível ente ante",
    },
    Language {
        names: "",
        words: "wrong right correct good fine okay weak strong short long shorter longer simple simpler complex easy easier hard \
            harder same stale dead gone here there below above elsewhere ready public safe unsafe secure insecure unique clear \
            cleartext private common obvious secret mine yours ours theirs void empty full done lost stolen left sent kept found \
            shown read known unknown seen chosen forgotten hidden broken written given taken built made caught bound drawn \
            overwritten about only also never always still again already currently probably later soon today yesterday \
            tomorrow fresh clean dirty early late legacy custom default dummy fake test real true false identical critical \
            essential trivial personal original normal usual final global local manual internal external alphanumeric \
            generic static dynamic automatic different current recent present absent consistent inconsistent permanent \
            insufficient redundant important irrelevant compliant relevant constant more less enough this that these those what \
            which whatever everything anything nothing something everywhere worse worst better best quite very really mandatory \
            necessary temporary immutable mutable intact corrupt overdue behind ahead outside inside password passwords \
            passphrase username user token encrypted plain base64 json yaml text string hash being none zero unset reset random \
            inaccurate accurate obsolete incomplete complete appropriate inappropriate separate duplicate stuck root-only \
            scaduta errata sbagliata corretta vuota debole cambiata nulla nuova vecchia uguale",
        endings: "ed ing able ible ive ous less ful ical",
    },
];

/// Names of passwords in languages whose sentences are not read.
const UNREAD: &str = "lösenord lösenordet passord passordet adgangskode salasana heslo jelszó jelszo şifre parola парола סיסמה \
    пароль 密码 密碼 口令 パスワード 비밀번호";

/// What goes on after a password that ends its clause.
const CLOSING: [&str; 9] = [" (", " for ", " on ", " - ", " – ", " bitte", " please", " pour ", " para "];

/// Whether words after `is` only say what the secret called `name` is like: `wrong`, `read-only`, `abgelaufen`.
pub(super) fn describes(name: &str, text: &str) -> bool {
    if UNREAD.split_ascii_whitespace().any(|end| name.ends_with(end)) {
        return true;
    }
    let is_of = |language: &&Language| language.names.split(' ').any(|end| name.ends_with(end));
    let Some(language) = LANGUAGES.iter().find(is_of) else { return true };
    let is_predicate = |part: &str| {
        let is_long = part.chars().count() >= SHORTEST;
        language.words.split_ascii_whitespace().any(|known| known == part)
            || is_long && language.endings.split_ascii_whitespace().any(|end| part.ends_with(end))
    };
    text.split(['-', '_']).any(|part| is_predicate(&part.to_lowercase()))
}

/// Whether a clause ends before `after`, so that the word before it is all that is said.
pub(super) fn ends_clause(after: &str) -> bool {
    let rest = after.trim_start_matches(['"', '\'', '`', '*']);
    let is_end = |c: char| ".,;!)\n\r]}<".contains(c);
    rest.trim().is_empty()
        || rest.starts_with(is_end) && !rest[1..].starts_with(char::is_alphanumeric)
        || rest.starts_with("\\n")
        || CLOSING.iter().any(|word| rest.starts_with(word))
}
