// Which language serves a reader, by the tags (BCP 47) that the browser is set to.

// Parents that CLDR gives to regions, where cutting the region off would lead elsewhere.
const PARENTS = {
  "es-419": "AR BO BR BZ CL CO CR CU DO EC GT HN JP MX NI PA PE PR PY SV US UY VE",
  "pt-PT": "AO CH CV FR GQ GW LU MO MZ ST TL",
};

// The script that a tag names or, where it names none, that its language has in its region.
export function scriptOf(tag) {
  return new Intl.Locale(tag).maximize().script;
}

// Returns the language for the first of the tags that has one; null: none has. Tags may be empty.
export function preferred(tags, languages) {
  for (const tag of tags) {
    const found = tag && parents(tag).find((parent) => languages.includes(parent));
    if (found) return found;
  }
  return null;
}

// The tag and what stands in for it, nearest first.
function parents(tag) {
  let own;
  try {
    own = new Intl.Locale(tag);
  } catch {
    return []; // no tag at all
  }
  const { language, region } = own;
  const script = scriptOf(tag);
  const written = `${language}-${script}`;
  // Those who read a language in another script may not read its usual one.
  if (script !== scriptOf(language)) return [own.baseName, written];
  const regional = Object.keys(PARENTS).filter(
    (parent) => parent.startsWith(`${language}-`) && PARENTS[parent].split(" ").includes(region),
  );
  return [own.baseName, `${language}-${region}`, ...regional, written, language];
}
