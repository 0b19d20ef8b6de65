//! Where earlier lines are kept.

use std::fs::{OpenOptions, Permissions, create_dir_all};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

/// The file of the history, readable by its owner alone; or why lines cannot be kept.
pub fn file() -> Result<PathBuf, String> {
    let set = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty());
    let directory = match (set("XDG_STATE_HOME"), set("HOME")) {
        (Some(state), _) => PathBuf::from(state),
        (None, Some(home)) => PathBuf::from(home).join(".local/state"),
        (None, None) => return Err("HOME is not set".into()),
    }
    .join("dhcpcraft");
    let path = directory.join("history");
    let failed = |it: std::io::Error| format!("{}: {it}", path.display());
    create_dir_all(&directory).map_err(failed)?;
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    // What an earlier umask or a copy left open is closed again.
    file.set_permissions(Permissions::from_mode(0o600))
        .map_err(failed)?;
    Ok(path)
}
