//! What is said of a password after `is`: any other word that ends its clause is one. Pure.

use super::shape::is_user_of_domain;
use super::tongue;

/// A language by its words for a password: the ends of names, words that something can be, and how more of them end.
struct Language {
    names: &'static str,
    words: &'static str,
    endings: &'static str,
}

/// The shortest word that is told by its ending.
const SHORTEST: usize = 5;

/// Languages other than English. `password` is Italian, too.
const LANGUAGES: [Language; 10] = [
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
        names: "motdepasse mdp",
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
        names: "lösenord lösenordet",
        words: "fel rätt nytt gammalt kort långt svagt starkt tomt borta slut inte ej redan samma här där kvar bytt glömt satt okänt känt bra \
            dåligt för nu hemligt enkelt",
        endings: "at et igt iskt bart ande ött ytt ömt änkt",
    },
    Language {
        names: "passord passordet adgangskode adgangskoden kodeord kodeordet",
        words: "feil galt galt forkert tomt tom nytt nyt ny gammelt gammel kort langt lang svakt svagt sterkt stærkt ikke allerede her der \
            samme glemt endret ændret ukjent ukendt for nå nu hemmelig enkelt udløbet utløpt",
        endings: "et igt ig sk bar ende dt",
    },
    Language {
        names: "hasło haslo",
        words: "złe puste nowe stare inne tajne nie już jest za zbyt wygasło tutaj tu to samo tylko",
        endings: "ne owe kie gie łe ło te tego",
    },
    Language {
        names: "heslo heslem",
        words: "není moc příliš povinné už jen ještě zde tu stejné jiné nové staré pryč",
        endings: "né ré té lé ké vé tné ný ně no to lo",
    },
    Language {
        names: "пароль",
        words: "истёк истек сброшен устарел не уже ещё еще тот другой прежний строка поле значение обязателен пуст скрыт невірний неправильний обов'язковий застарів застарілий закінчився змінено змінений скинуто заблоковано порожній \
            прострочений потрібен потрібно",
        endings: "ный вый кий гий ший рый тый ён ден лен мен тен нен ван ёк ек ет ит ать ять",
    },
    Language {
        names: "",
        words: "wrong right correct good fine okay weak strong short long shorter longer stronger weaker simple simpler complex easy easier hard \
            harder same stale dead gone here there below above elsewhere ready public safe unsafe secure insecure unique clear \
            cleartext private common obvious secret mine yours ours theirs void empty full done lost stolen left sent kept found \
            shown read known unknown seen chosen used forgotten hidden broken written given taken built made caught bound drawn \
            overwritten about only also never always still again already currently probably later soon today yesterday \
            tomorrow fresh clean dirty early late legacy custom default dummy fake test real true false identical critical \
            essential trivial personal original normal usual final global local manual internal external alphanumeric \
            generic static dynamic automatic different current recent present absent consistent inconsistent permanent \
            insufficient redundant important irrelevant compliant relevant constant more less enough this that these those what \
            which whatever everything anything nothing something everywhere worse worst better best quite very really mandatory \
            necessary temporary immutable mutable intact corrupt overdue behind ahead outside inside password passwords \
            passphrase username user token encrypted plain base64 json yaml text string hash being none zero unset reset random \
            inaccurate accurate obsolete incomplete complete appropriate inappropriate separate duplicate stuck root-only \
            expire comply continue proceed \
            scaduta errata sbagliata corretta vuota debole cambiata nulla nuova vecchia uguale",
        endings: "ed ing able ible ive ous less ful ical",
    },
];

/// Languages of other letters, whose own words are not read: a word of Latin letters is one of no sentence.
const OF_OTHER_LETTERS: Language = Language { names: "", words: "admin root user username id", endings: "ed" };

/// What forms say of a field in other languages: that it has to be filled, need not, or is empty.
const OF_FIELDS: &str = "obligatoire obligatoires facultatif facultative vide manquant manquante erforderlich benötigt pflichtfeld pflicht \
    fehlend leer notwendig obligatoria obligatorio requerida requerido necesaria vacía vacío obrigatória obrigatório necessária vazia \
    obbligatoria obbligatorio richiesta richiesto mancante vuota verplicht vereist ontbreekt leeg krävs obligatoriskt saknas tomt påkrevd \
    påkrævet mangler wymagane wymagany puste povinné povinný vyžadováno prázdné обязателен обязательно обязательное требуется zorunlu gerekli \
    obligatorie necesară pakollinen vaaditaan kötelező";

/// Whether a word only says of a field for a secret that it has to be filled, or is not: `obligatoire`, `erforderlich`.
pub(crate) fn is_of_field(word: &str) -> bool {
    OF_FIELDS.split_ascii_whitespace().any(|known| known == word)
}

/// Ways to sign in and to keep passwords, whose names look like one.
const METHODS: &str = "oauth oauth2 saml saml2 ldap ldaps ldapv3 oidc sso mtls krb5 kerberos kerberos5 gssapi ntlmv2 argon2id argon2i argon2 \
    pbkdf2 sha3 1password fido2 u2f 2fa webauthn x509 tls1.2 tls1.3 basic digest bearer utf8 utf-8 utf16 \
    utf-16 iso-8859-1 base32 base58 base62 base64 md5 scrypt ascii hex sha-1 sha-256 sha-512 scram-sha-1 scram-sha-256 scram-sha-512";

/// What goes on after a password that ends its clause.
const CLOSING: [&str; 14] = [
    " (",
    " for ",
    " on ",
    " - ",
    " – ",
    " bitte",
    " please",
    " pour ",
    " para ",
    " です",
    "です",
    "。",
    " 입니다",
    "입니다",
];

/// Whether words after `is` only say what the secret called `name` is like: `wrong`, `read-only`, `abgelaufen`.
pub(crate) fn describes(name: &str, text: &str) -> bool {
    let is_of = |language: &&Language| language.names.split(' ').any(|end| name.ends_with(end));
    let language = match LANGUAGES.iter().find(is_of) {
        Some(language) if !language.names.is_empty() => language,
        _ if tongue::is_of_other_letters(name) => &OF_OTHER_LETTERS,
        Some(language) if !tongue::is_unread(name) => language,
        _ => return true,
    };
    let is_predicate = |part: &str| {
        let is_long = part.chars().count() >= SHORTEST;
        language.words.split_ascii_whitespace().any(|known| known == part)
            || is_long && language.endings.split_ascii_whitespace().any(|end| part.ends_with(end))
    };
    text.split(['-', '_']).any(|part| is_predicate(&part.to_lowercase()))
}

/// Words that say in what state something is, or what is to be done about it, besides those that are told by their ends.
const STATES: &str = "active inactive stale present absent weak strong corrupt intact unsafe insecure obsolete overdue unclear \
    healthy unhealthy unknown unseen unset reset retry please check contact pending waiting loading refreshing rotating expiring \
    retrying syncing mounting validating forgotten broken written unwritten overwritten stolen withdrawn frozen lost found \
    sent unsent kept shown never ready done gone";

/// Words that end as states do, and are none.
const NO_STATES: &str = "hundred kindred hatred sacred wicked naked beloved ahmed mohammed mohamed jared alfred wilfred manfred mildred \
    winifred constable vegetable crucible";

/// The shortest words that are told by these ends.
const STATE_ENDS: [(&str, usize); 3] = [("ed", 5), ("able", 7), ("ible", 8)];

/// Whether a word after the sign of a name only says in what state its secret is: `locked`, `unreadable`, `stale`.
pub(crate) fn is_state(text: &str) -> bool {
    let word = text.trim_end_matches(['.', ',', ';', '!', ')', ']']);
    let is_in = |table: &str| table.split_ascii_whitespace().any(|known| known == word);
    let is_told = STATE_ENDS.iter().any(|(end, shortest)| word.ends_with(end) && word.len() >= *shortest);
    let is_participle = !word.ends_with("eed") && !is_in(NO_STATES);
    word.bytes().all(|byte| byte.is_ascii_lowercase()) && (is_told && is_participle || is_in(STATES))
}

/// Whether a word in small letters is a way to sign in or to keep a password: `oauth2`, `argon2id`.
pub(crate) fn is_method(word: &str) -> bool {
    METHODS.split_ascii_whitespace().any(|known| known == word)
}

/// Whether what has the name of a token is a way to sign, or the user whose credentials they are.
pub(crate) fn is_other(name: &str, text: &str) -> bool {
    name.ends_with("signature") && is_signing(&text.to_lowercase())
        || name.ends_with("credential") && is_user_of_domain(text)
}

/// What the names of ways to sign something are made of, without their numbers.
const OF_SIGNING: &str =
    "sha md rsa dsa ecdsa eddsa ed hmac hmacsha rsassa rsassapss pss pkcs mgf nistp ps rs es hs encryption with and";

/// Whether a word in small letters is a way to sign something: `sha256withrsa`, `rsa-sha2-512`.
fn is_signing(word: &str) -> bool {
    let mut parts = word.split(|c: char| !c.is_ascii_alphabetic()).flat_map(|part| part.split("with"));
    let is_part = |part: &str| part.is_empty() || OF_SIGNING.split(' ').any(|known| known == part);
    parts.all(is_part) && word.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether a clause ends before `after`, so that the word before it is all that is said.
pub(crate) fn ends_clause(after: &str) -> bool {
    let rest = after.trim_start_matches(['"', '\'', '`', '*']);
    let is_end = |c: char| ".,;!)\n\r]}<".contains(c);
    rest.trim().is_empty()
        || rest.starts_with(is_end) && !rest[1..].starts_with(char::is_alphanumeric)
        || rest.starts_with("\\n")
        || CLOSING.iter().any(|word| rest.starts_with(word))
}
