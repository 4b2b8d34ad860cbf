/**
 * Fetches DynamoDB Local with Maven (Java 17 or newer), to compare the memory table with it:
 *
 *     node scripts/get-dynamodb-local.ts && npx vitest run test/conformance
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const VERSION = '2.6.1';
const DIRECTORY = path.join(import.meta.dirname, '..', '.millrace', 'dynamodb-local');

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

mkdirSync(DIRECTORY, { recursive: true });
writeFileSync(path.join(DIRECTORY, 'pom.xml'), POM);
const { status, error } = spawnSync(
  'mvn',
  ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime'],
  { cwd: DIRECTORY, stdio: 'inherit' },
);
if (error !== undefined) console.error(`Maven could not be started: ${error.message}`);
process.exitCode = status ?? 3;
