//! The files of `config/` -> one release, in the order to apply them. Pure.

use std::io::{self, Write};

/// The files, in numeric order, as they were when this program was built.
pub const FILES: &[(&str, &str)] = &[
    ("100-namespace.yaml", include_str!("../../config/100-namespace.yaml")),
    ("200-serviceaccount.yaml", include_str!("../../config/200-serviceaccount.yaml")),
    ("201-clusterrole.yaml", include_str!("../../config/201-clusterrole.yaml")),
    ("202-clusterrolebinding.yaml", include_str!("../../config/202-clusterrolebinding.yaml")),
    ("210-addressable-resolver.yaml", include_str!("../../config/210-addressable-resolver.yaml")),
    ("211-source-observer.yaml", include_str!("../../config/211-source-observer.yaml")),
    ("300-awssqssource.yaml", include_str!("../../config/300-awssqssource.yaml")),
    ("500-controller.yaml", include_str!("../../config/500-controller.yaml")),
];

/// Writes all files as one stream of YAML documents.
///
/// # Errors
/// The writer fails.
pub fn write(out: &mut impl Write) -> io::Result<()> {
    for (name, text) in FILES {
        writeln!(out, "---\n# {name}\n{}", text.trim_end())?;
    }
    Ok(())
}
