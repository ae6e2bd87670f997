// Reading DICOM JSON (PS3.18 F): typed access by tag, nothing else. An absent, empty or malformed value is undefined.

interface JsonElement {
  readonly vr?: string;
  readonly Value?: readonly unknown[];
  readonly InlineBinary?: string;
  readonly BulkDataURI?: string;
}

export type JsonDataSet = Readonly<Record<string, JsonElement>>;

export function isDataSet(value: unknown): value is JsonDataSet {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function texts(dataSet: JsonDataSet, tag: string): readonly string[] {
  return textsInPlace(dataSet, tag).flatMap((value) => value ?? []);
}

export function text(dataSet: JsonDataSet, tag: string): string | undefined {
  const value = dataSet[tag]?.Value?.[0];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The alphabetic representation of a person's name (PS3.5 6.2.1), carets included. */
export function personName(dataSet: JsonDataSet, tag: string): string | undefined {
  const value = dataSet[tag]?.Value?.[0];
  const alphabetic = isDataSet(value) ? (value as Readonly<Record<string, unknown>>)["Alphabetic"] : value;
  return typeof alphabetic === "string" && alphabetic !== "" ? alphabetic : undefined;
}

/** Every value as a number; values that are no finite number are left out. Peers send DS and IS as text, too. */
export function numbers(dataSet: JsonDataSet, tag: string): readonly number[] {
  return numbersInPlace(dataSet, tag).flatMap((value) => value ?? []);
}

/** Every value as a number, each in its place: what is none is undefined, so that two lists stay side by side. */
export function numbersInPlace(dataSet: JsonDataSet, tag: string): readonly (number | undefined)[] {
  return (dataSet[tag]?.Value ?? []).map((value) => {
    const read = value === null || value === "" ? Number.NaN : Number(value);
    return Number.isFinite(read) ? read : undefined;
  });
}

export function textsInPlace(dataSet: JsonDataSet, tag: string): readonly (string | undefined)[] {
  return (dataSet[tag]?.Value ?? []).map((value) => (typeof value === "string" ? value : undefined));
}

export function number(dataSet: JsonDataSet, tag: string): number | undefined {
  return numbers(dataSet, tag)[0];
}

export function items(dataSet: JsonDataSet, tag: string): readonly JsonDataSet[] {
  return (dataSet[tag]?.Value ?? []).filter(isDataSet);
}

/** The bytes of an InlineBinary value. */
export function inlineBytes(dataSet: JsonDataSet, tag: string): Uint8Array | undefined {
  const encoded = dataSet[tag]?.InlineBinary;
  if (encoded === undefined) return undefined;
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
}
