import type { StandardSchemaV1 } from '@standard-schema/spec';
import { DefinitionError } from './errors.ts';
import type { SchemaIssue, Validation } from './program.ts';

/** Any schema that speaks Standard Schema (https://standardschema.dev): zod, valibot, arktype... */
export type Schema = StandardSchemaV1;

/** The type that a schema's output has. */
export type OutputOf<S extends Schema> = StandardSchemaV1.InferOutput<S>;

/** Most issues kept of one event. */
const ISSUES_MAX = 10;

/**
 * Runs a schema on a value.
 *
 * @throws DefinitionError for a schema that answers with a promise: decisions are synchronous
 */
export function validateWith(path: string, schema: Schema, value: unknown): Validation {
  const answer = schema['~standard'].validate(value);
  if (answer instanceof Promise) {
    throw new DefinitionError(path, 'a schema that answers with a promise', 'a synchronous schema');
  }
  if (answer.issues === undefined) return { ok: true, event: answer.value };
  return { ok: false, issues: answer.issues.slice(0, ISSUES_MAX).map(issueOf) };
}

/** True for what implements Standard Schema version 1. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = Reflect.get(value, '~standard');
  if (typeof standard !== 'object' || standard === null) return false;
  return (
    Reflect.get(standard, 'version') === 1 &&
    typeof Reflect.get(standard, 'validate') === 'function'
  );
}

function issueOf(issue: StandardSchemaV1.Issue): SchemaIssue {
  const keys = issue.path?.map((part) => String(typeof part === 'object' ? part.key : part)) ?? [];
  return { path: keys.join('.'), message: issue.message.slice(0, 300) };
}
