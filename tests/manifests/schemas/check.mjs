// node check.mjs FOLDER < objects.json: holds Kubernetes objects against the models of
// @kubernetes-models, twice: their validators know the types, words, patterns and bounds of the CRDs;
// their TypeScript types know every field, so that an unknown one, which an API server drops without
// a word, is an error. FOLDER has node_modules.
// Prints JSON: {checked: number, errors: [string], unknown: [apiVersion/kind]}.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const PACKAGES = {
  "argoproj.io": "argo-cd",
  "cert-manager.io": "cert-manager",
  "external-secrets.io": "external-secrets",
  "gateway.networking.k8s.io": "gateway-api",
  "monitoring.coreos.com": "prometheus-operator",
  "networking.istio.io": "istio",
  "postgresql.cnpg.io": "cloudnative-pg",
  "security.istio.io": "istio",
  "telemetry.istio.io": "istio",
};

const root = resolve(process.argv[2]);
const objects = JSON.parse(await text(process.stdin));
const ts = createRequire(join(root, "package.json"))("typescript");
const errors = [];
const unknown = new Set();
const found = [];

for (const object of objects) {
  const [group, version] = object.apiVersion.split("/");
  const folder = PACKAGES[group] && join(root, "node_modules", "@kubernetes-models", PACKAGES[group]);
  const file = folder && join(folder, group, version, object.kind);
  if (!file || !existsSync(`${file}.js`)) {
    unknown.add(`${object.apiVersion}/${object.kind}`);
    continue;
  }
  const name = `${object.apiVersion} ${object.kind} ${object.metadata.name}`;
  found.push({ object, name, declaration: `${file}.d.ts` });
  const model = (await import(pathToFileURL(`${file}.js`)))[object.kind];
  const { apiVersion, kind, ...data } = object;
  try {
    new model(data).validate();
  } catch (error) {
    errors.push(`${name}: ${error.message}`);
  }
}

const program = ts.createProgram([...new Set(found.map((one) => one.declaration))], {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
  types: [],
});
const checker = program.getTypeChecker();

// The alternatives of a type, without undefined and null.
function alternatives(type) {
  const bare = checker.getNonNullableType(type);
  return bare.isUnion() ? bare.types.flatMap(alternatives) : [bare];
}

// `{}`: the CRD leaves it to others what is inside.
function isOpen(type) {
  const indexed = checker.getIndexInfosOfType(type).length > 0;
  return type.flags & ts.TypeFlags.Object && !indexed && checker.getPropertiesOfType(type).length === 0;
}

// Types that a value's member `key` may have; null when anything goes, empty when there is none.
function members(types, key, isArray) {
  const next = [];
  for (const type of types) {
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown) || isOpen(type)) return null;
    const property = isArray ? undefined : checker.getPropertyOfType(type, key);
    const member = property
      ? checker.getTypeOfSymbol(property)
      : checker.getIndexTypeOfType(type, isArray ? ts.IndexKind.Number : ts.IndexKind.String);
    if (member) next.push(...alternatives(member));
  }
  return next;
}

function walk(name, path, value, types) {
  if (value === null || typeof value !== "object") return;
  for (const [key, member] of Object.entries(value)) {
    const next = members(types, key, Array.isArray(value));
    if (next === null) continue;
    if (next.length === 0) errors.push(`${name}: ${path}: no field is named "${key}"`);
    else walk(name, `${path}.${key}`, member, next);
  }
}

for (const { object, name, declaration } of found) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(declaration));
  const symbol = checker.getExportsOfModule(module).find((one) => one.name === `I${object.kind}`);
  walk(name, object.kind, object, [checker.getDeclaredTypeOfSymbol(symbol)]);
}

console.log(JSON.stringify({ checked: found.length, errors, unknown: [...unknown].sort() }));
