# SPDX-License-Identifier: MIT
# What is wrong with a value by a schema of this folder, a line per fault; nothing when it is right.
#	glass ss -j | jq -r --slurpfile schema docs/json/ss.json -f docs/json/validate.jq
# Of JSON Schema: type, enum, properties, required, additionalProperties, items.

def kind: if type == "number" and . == floor then "integer" else type end;

def is_a($type): kind as $k | $k == $type or ($type == "number" and $k == "integer");

def faults($s; $at):
  . as $v
  | if ($s | type) != "object" then empty
    elif $s.type and ([$s.type] | flatten | any(. as $t | $v | is_a($t)) | not) then
      "\($at): \($v | kind), not \([$s.type] | flatten | join(" or "))"
    elif $s.enum and ($s.enum | index([$v]) | not) and ($s.enum | any(. == $v) | not) then
      "\($at): \($v) is none of \($s.enum | join(", "))"
    elif ($v | type) == "object" then
      (($s.required // [])[] as $name | select($v | has($name) | not) | "\($at): there is no \($name)"),
      ($v | to_entries[] | .key as $name | .value as $member
        | if $s.properties and ($s.properties | has($name)) then
            $member | faults($s.properties[$name]; "\($at).\($name)")
          elif $s.additionalProperties == false then "\($at).\($name): is not in the schema"
          else $member | faults($s.additionalProperties; "\($at).\($name)") end)
    elif ($v | type) == "array" then
      ($v | to_entries[] | .key as $i | .value | faults($s.items; "\($at)[\($i)]"))
    else empty end;

faults($schema[0]; "")
