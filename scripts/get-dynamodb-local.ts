/**
 * Fetches DynamoDB Local with Maven (Java 17 or newer), as the tests do that compare the memory table with it:
 *
 *     node scripts/get-dynamodb-local.ts && npx vitest run test/conformance
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const VERSION = '2.6.1';
const DIRECTORY = path.join(import.meta.dirname, '..', '.millrace', 'dynamodb-local');
const LIBRARIES = path.join(DIRECTORY, 'lib');
/** Whole libraries take this one's place at once: tests look for it meanwhile. */
const PARTIAL = path.join(DIRECTORY, `lib-${process.pid}`);

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
  [
    ...['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime'],
    `-DoutputDirectory=${path.basename(PARTIAL)}`,
  ],
  { cwd: DIRECTORY, stdio: 'inherit' },
);
if (error !== undefined) console.error(`Maven could not be started: ${error.message}`);
// Another run may have been first: what it put there is as good.
if (status === 0 && !existsSync(LIBRARIES)) renameSync(PARTIAL, LIBRARIES);
rmSync(PARTIAL, { recursive: true, force: true });
process.exitCode = status ?? 3;
