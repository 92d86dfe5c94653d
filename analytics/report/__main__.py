"""Writes the report of the dbt package's marts as one HTML file that needs nothing else.

    python3 analytics/report --duckdb devin.duckdb > report.html
    python3 analytics/report --postgres devin > report.html      (a schema; the database is that of the PG… variables)
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from data import Data, duckdb_rows, postgres_rows  # noqa: E402
from page import page  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--duckdb", type=Path, metavar="FILE")
    where.add_argument("--postgres", metavar="SCHEMA")
    asked = parser.parse_args()
    if asked.duckdb and not asked.duckdb.exists():
        sys.exit(f"report: there is no database {asked.duckdb}: load one, and run `dbt build` over it")
    try:
        data = Data(duckdb_rows(asked.duckdb) if asked.duckdb else postgres_rows(asked.postgres))
    except Exception as problem:  # Whichever database it is, it says what is missing.
        sys.exit(f"report: the marts cannot be read: {str(problem).splitlines()[0]}: run `dbt build` first")
    sys.stdout.write(page(data))


if __name__ == "__main__":
    main()
