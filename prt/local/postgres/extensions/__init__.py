"""The extensions pgcrypto and uuid-ossp in SQL, and those that can't be had here.

`extension/` holds the files of `CREATE EXTENSION`. What can't be done in SQL raises one sentence.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Named by `extension_control_path`, which looks into its `extension/`."""
