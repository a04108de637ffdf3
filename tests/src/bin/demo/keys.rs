//! AWS keys in files, as a Secret would be mounted; the simulator takes any. I/O: a temporary folder.

use std::io;
use std::path::PathBuf;

/// The folder; gone when dropped.
pub struct Keys {
    folder: PathBuf,
    path: String,
}

impl Keys {
    /// Writes them.
    pub fn write() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("sqs-bridge-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("accessKeyId"), "demo")?;
        std::fs::write(folder.join("secretAccessKey"), "demo")?;
        let path = folder.to_string_lossy().into_owned();
        Ok(Self { folder, path })
    }

    /// For `BRIDGE_KEYS_DIR`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary directory harms nobody.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
