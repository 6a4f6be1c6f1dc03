// SPDX-License-Identifier: Apache-2.0
// Runs the SQL statements of a JSON list on standard input, one after the other; prints the list of their rows.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(join(process.env.OOMTRACE_DUCKDB, 'package.json'));
const { DuckDBInstance } = require('@duckdb/node-api');

const connection = await (await DuckDBInstance.create(':memory:')).connect();
const answers = [];
for (const statement of JSON.parse(readFileSync(0, 'utf-8'))) {
  const reader = await connection.runAndReadAll(statement);
  answers.push(reader.getRowObjectsJson());
}
process.stdout.write(JSON.stringify(answers));
