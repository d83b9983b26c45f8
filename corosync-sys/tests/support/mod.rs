//! What both -sys crates test about their bindings: agreement with the installed headers, and that
//! every bound function is in `docs/coverage.md`.
//!
//! Shared by the tests of corosync-sys and pacemaker-sys (the second has a symbolic link).

use std::collections::BTreeMap;

use quote::ToTokens;
use syn::visit_mut::{VisitMut, visit_type_mut};

/// The items of a bindings file, by kind and name, in a form that two files can be compared in.
#[derive(Default)]
pub(crate) struct Items {
    /// Functions: the types of their arguments and result.
    pub(crate) functions: BTreeMap<String, String>,
    /// Constants, statics and type aliases.
    pub(crate) definitions: BTreeMap<String, String>,
    /// Structures and unions: their fields with their types.
    pub(crate) fields: BTreeMap<String, Vec<(String, String)>>,
    /// Layout assertions: what is measured, and how many bytes.
    pub(crate) layouts: BTreeMap<String, u64>,
}

/// Forgets what does not change a call: names of arguments, and whether a pointer is `const`.
struct Normalise;

impl VisitMut for Normalise {
    fn visit_type_mut(&mut self, ty: &mut syn::Type) {
        match ty {
            syn::Type::Ptr(pointer) => {
                pointer.const_token = None;
                pointer.mutability = Some(Default::default());
            }
            syn::Type::BareFn(function) => {
                for argument in &mut function.inputs {
                    argument.name = None;
                }
            }
            _ => {}
        }
        visit_type_mut(self, ty);
    }
}

fn normal(ty: &syn::Type) -> String {
    let mut ty = ty.clone();
    Normalise.visit_type_mut(&mut ty);
    ty.to_token_stream().to_string()
}

impl Items {
    /// Reads the text of a bindings file.
    pub(crate) fn parse(text: &str) -> Self {
        let mut items = Self::default();
        for item in syn::parse_file(text).expect("bindings are Rust").items {
            match item {
                syn::Item::Const(constant) if constant.ident == "_" => {
                    items.layout(&constant.expr);
                }
                syn::Item::Const(constant) => {
                    let value = constant.expr.to_token_stream();
                    let text = format!("{} = {value}", normal(&constant.ty));
                    items.definitions.insert(constant.ident.to_string(), text);
                }
                syn::Item::Type(alias) => {
                    items
                        .definitions
                        .insert(alias.ident.to_string(), normal(&alias.ty));
                }
                syn::Item::Struct(item) => items.record(&item.ident, &item.fields),
                syn::Item::Union(item) => {
                    items.record(&item.ident, &syn::Fields::Named(item.fields));
                }
                syn::Item::ForeignMod(block) => {
                    for item in block.items {
                        items.foreign(item);
                    }
                }
                _ => {}
            }
        }
        items
    }

    fn record(&mut self, name: &syn::Ident, fields: &syn::Fields) {
        let fields = fields
            .iter()
            .map(|field| {
                let name = field
                    .ident
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string);
                (name, normal(&field.ty))
            })
            .collect();
        self.fields.insert(name.to_string(), fields);
    }

    fn foreign(&mut self, item: syn::ForeignItem) {
        match item {
            syn::ForeignItem::Fn(function) => {
                let mut text = String::new();
                for argument in &function.sig.inputs {
                    if let syn::FnArg::Typed(argument) = argument {
                        text += &normal(&argument.ty);
                        text += ", ";
                    }
                }
                if function.sig.variadic.is_some() {
                    text += "...";
                }
                if let syn::ReturnType::Type(_, ty) = &function.sig.output {
                    text += "-> ";
                    text += &normal(ty);
                }
                self.functions.insert(function.sig.ident.to_string(), text);
            }
            syn::ForeignItem::Static(item) => {
                self.definitions
                    .insert(item.ident.to_string(), normal(&item.ty));
            }
            _ => {}
        }
    }

    /// Reads `["Size of x"][size_of::<x>() - 8usize];` and its like.
    fn layout(&mut self, block: &syn::Expr) {
        let syn::Expr::Block(block) = block else {
            panic!("not a layout assertion")
        };
        for statement in &block.block.stmts {
            let syn::Stmt::Expr(syn::Expr::Index(assertion), _) = statement else {
                panic!("not a layout assertion")
            };
            let (syn::Expr::Array(what), syn::Expr::Binary(measure)) =
                (&*assertion.expr, &*assertion.index)
            else {
                panic!("not a layout assertion")
            };
            let what = what.elems[0].to_token_stream().to_string();
            let bytes = measure.right.to_token_stream().to_string();
            let bytes = bytes
                .trim_end_matches("usize")
                .parse()
                .expect("bytes are a number");
            self.layouts.insert(what, bytes);
        }
    }
}

/// What in `checked_in` the installed headers do not confirm. They may have more: functions,
/// constants, fields after the known ones.
pub(crate) fn disagreements(checked_in: &Items, installed: &Items) -> Vec<String> {
    let mut found = Vec::new();
    let pairs = [
        (&checked_in.functions, &installed.functions),
        (&checked_in.definitions, &installed.definitions),
    ];
    for (ours, theirs) in pairs {
        for (name, text) in ours {
            match theirs.get(name) {
                None => found.push(format!("{name}: not in the installed headers")),
                Some(other) if other != text => {
                    found.push(format!("{name}: checked in `{text}`, installed `{other}`"));
                }
                Some(_) => {}
            }
        }
    }
    for (name, fields) in &checked_in.fields {
        match installed.fields.get(name) {
            None => found.push(format!("{name}: not in the installed headers")),
            Some(other) if !other.starts_with(fields) => {
                let difference = fields
                    .iter()
                    .zip(other)
                    .find(|(ours, theirs)| ours != theirs);
                found.push(format!("{name}: fields differ, first {difference:?}"));
            }
            Some(_) => {}
        }
    }
    for (what, bytes) in &checked_in.layouts {
        match installed.layouts.get(what) {
            // A structure that grew at its end.
            Some(other) if other > bytes && what.contains("Size of") => {}
            Some(other) if other == bytes => {}
            other => found.push(format!(
                "{what}: {bytes} bytes checked in, {other:?} installed"
            )),
        }
    }
    found
}

/// A row of `docs/coverage.md`.
struct Row {
    status: String,
    detail: String,
}

/// Tells whether a function of the table belongs to corosync-sys.
pub(crate) fn is_corosync(name: &str) -> bool {
    let prefixes = [
        "cpg_",
        "quorum_",
        "votequorum_",
        "cmap_",
        "corosync_cfg_",
        "cs_",
    ];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// What is wrong with the table of C functions: `bound` has every function of the bindings, `ours`
/// tells which names of the table are this crate's.
///
/// "wrapped" is held against the source of `ha-core`, so that the table cannot stay behind it.
pub(crate) fn coverage_faults(bound: &[String], ours: impl Fn(&str) -> bool) -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let table = std::fs::read_to_string(root.join("docs/coverage.md")).expect("docs/coverage.md");
    let mut used = String::new();
    read_sources(&root.join("ha-core/src/live/ffi"), &mut used);
    let words: std::collections::BTreeSet<&str> = used
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();

    let mut faults = Vec::new();
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for line in table.lines() {
        let Some(rest) = line.strip_prefix("| `") else {
            continue;
        };
        let Some((name, rest)) = rest.split_once("` |") else {
            continue;
        };
        let mut cells = rest.split('|').map(|cell| cell.trim().to_owned());
        let status = cells.next().unwrap_or_default();
        let detail = cells.next().unwrap_or_default();
        if rows.insert(name, Row { status, detail }).is_some() {
            faults.push(format!("{name}: two rows"));
        }
    }
    for name in bound {
        let Some(row) = rows.get(name.as_str()) else {
            faults.push(format!("{name}: no row"));
            continue;
        };
        let called = words.contains(name.as_str());
        match row.status.as_str() {
            "wrapped" if !called => {
                faults.push(format!("{name}: wrapped, but ha-core never calls it"));
            }
            "wrapped" if !row.detail.contains("`") => {
                faults.push(format!("{name}: wrapped, but no Rust path is named"));
            }
            "sys" if called => faults.push(format!("{name}: sys only, but ha-core calls it")),
            "wrapped" | "sys" => {}
            other => faults.push(format!(
                "{name}: is bound, so its status cannot be '{other}'"
            )),
        }
    }
    for (name, row) in &rows {
        if ours(name) && !bound.iter().any(|bound| bound == name) {
            match row.status.as_str() {
                "left out" if !row.detail.is_empty() => {}
                status => faults.push(format!("{name}: '{status}', but it is not bound")),
            }
        }
    }
    faults
}

fn read_sources(folder: &std::path::Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("a folder entry").path();
        if path.is_dir() {
            read_sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("a source file");
            // A function that only a comment names is not called.
            for line in source
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
            {
                *text += line;
                *text += "\n";
            }
        }
    }
}

/// File name of the library that the running process has `function` from.
pub(crate) fn library_of(function: *const ()) -> String {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr writes `info`, and zeroes are a valid value of it; the name it points at lives as
    // long as the library stays loaded, which is the whole life of the process.
    let name = unsafe {
        assert_ne!(
            libc::dladdr(function.cast(), info.as_mut_ptr()),
            0,
            "no library has it"
        );
        std::ffi::CStr::from_ptr(info.assume_init().dli_fname)
    };
    let path = name.to_str().expect("a library's path is text");
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
