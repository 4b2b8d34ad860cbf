import type { Attribute, ConditionalWrite, Item, ItemKey, TableQuery } from '../../ports/table.ts';
import { keyCondition, QUERY_LIMIT, statementText, statementValues } from './dynamo-calls.ts';

/**
 * Bodies of DynamoDB's requests as JSON, written straight from items: no attribute objects, no generic serialiser.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
 */

/** Every answer says what it billed. */
const UNITS = '"ReturnConsumedCapacity":"TOTAL"';

/** BatchGetItem. */
export function batchGetBody(tableName: string, keys: readonly ItemKey[]): string {
  const list = keys.map(({ pk, sk }) => attributes({ pk, sk })).join();
  return `{"RequestItems":{${quoted(tableName)}:{"Keys":[${list}],"ConsistentRead":true}},${UNITS}}`;
}

/** BatchWriteItem. */
export function batchWriteBody(tableName: string, items: readonly Item[]): string {
  let puts = '';
  for (const item of items) {
    puts += `${puts === '' ? '' : ','}{"PutRequest":{"Item":${attributes(item)}}}`;
  }
  return `{"RequestItems":{${quoted(tableName)}:[${puts}]},${UNITS}}`;
}

/** PutItem with its condition. */
export function putBody(tableName: string, { item, condition }: ConditionalWrite): string {
  const expected =
    condition.type === 'absent'
      ? '"ConditionExpression":"attribute_not_exists(pk)"'
      : `"ConditionExpression":"#attribute = :value","ExpressionAttributeNames":{"#attribute":${quoted(condition.attribute)}},"ExpressionAttributeValues":{":value":${attribute(condition.value)}}`;
  return `{"TableName":${quoted(tableName)},"Item":${attributes(item)},${expected},"ReturnValuesOnConditionCheckFailure":"ALL_OLD",${UNITS}}`;
}

/** BatchExecuteStatement. */
export function putManyBody(tableName: string, writes: readonly ConditionalWrite[]): string {
  const statements = writes.map((write) => {
    const values = statementValues(write).map(attribute).join();
    const found =
      write.condition.type === 'absent' ? '' : ',"ReturnValuesOnConditionCheckFailure":"ALL_OLD"';
    return `{"Statement":${quoted(statementText(tableName, write))},"Parameters":[${values}]${found}}`;
  });
  return `{"Statements":[${statements.join()}],${UNITS}}`;
}

/** Query. */
export function queryBody(tableName: string, query: TableQuery): string {
  const { pk, after, prefix, descending = false, limit = QUERY_LIMIT } = query;
  const bound = prefix ?? after;
  const values = `":pk":${attribute(pk)}${bound === undefined ? '' : `,":bound":${attribute(bound)}`}`;
  // A sort key takes one condition: with a prefix, the place to start after is told this way.
  const start =
    prefix === undefined || after === undefined
      ? ''
      : `"ExclusiveStartKey":${attributes({ pk, sk: after })},`;
  return `{"TableName":${quoted(tableName)},"ConsistentRead":true,"KeyConditionExpression":${quoted(keyCondition(query))},"ExpressionAttributeValues":{${values}},${start}"ScanIndexForward":${!descending},"Limit":${limit},${UNITS}}`;
}

function attributes(item: Readonly<Record<string, Attribute>>): string {
  let text = '';
  for (const name in item) {
    const value = item[name];
    if (value === undefined) continue;
    text += `${text === '' ? '{' : ','}${quotedName(name)}:${attribute(value)}`;
  }
  return `${text}}`;
}

const names = new Map<string, string>();

/** Attributes have a few names, which our own code gives them. */
function quotedName(name: string): string {
  let known = names.get(name);
  if (known === undefined) {
    known = quoted(name);
    names.set(name, known);
  }
  return known;
}

function attribute(value: Attribute): string {
  if (typeof value === 'string') return `{"S":${quoted(value)}}`;
  if (typeof value === 'number') return `{"N":"${value}"}`;
  return `{"B":"${base64(value)}"}`;
}

function base64({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('base64');
}

/** Texts that stand in JSON as they are. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
