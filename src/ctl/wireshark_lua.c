/* SPDX-License-Identifier: MIT */
/*
 * The Lua file that "glass wireshark" installs: a post-dissector that makes fields of the words in
 * a capture's comments. Generated from capture_field.def, drop.def and rule.def, so that it knows
 * what this version writes.
 *
 * In: cmd_wireshark.c.  Out: stdout or a file.
 */
#include <string.h>

#include "capture.h"
#include "wireshark.h"

/* As Lua writes it. */
static void put_string(FILE *to, const char *text)
{
	putc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', to);
		putc(*text, to);
	}
	putc('"', to);
}

static const struct {
	const char *name, *type, *text;
} fields[] = {
#define FIELD(ID, name, type, text) { name, #type, text },
#include "capture_field.def"
#undef FIELD
};

static const char *constructor(const char *type)
{
	return !strcmp(type, "STRING")	 ? "string"
	       : !strcmp(type, "UINT32") ? "uint32"
	       : !strcmp(type, "UINT64") ? "uint64"
					 : "bool";
}

static void put_fields(FILE *to)
{
	fputs("-- Each field: its word, what converts its value, and how Wireshark sees it.\n"
	      "local fields = {\n",
	      to);
	for (unsigned i = 0; i < COUNT(fields); i++) {
		fprintf(to, "  [\"%s\"] = { \"%s\", ProtoField.%s(\"glass.%s\", \"%s\"%s, ",
			fields[i].name, fields[i].type, constructor(fields[i].type), fields[i].name,
			fields[i].name,
			!strcmp(fields[i].type, "STRING")    ? ", base.UNICODE"
			: !strcmp(fields[i].type, "BOOLEAN") ? ", base.NONE, nil, 0"
							     : ", base.DEC, nil, 0");
		put_string(to, fields[i].text);
		fputs(") },\n", to);
	}
	fputs("}\n\n", to);
}

static void put_advice(FILE *to)
{
	const struct glass_drop_desc *d;

	fputs("-- What to look at when a packet was dropped: glass-drops(7).\n"
	      "local advice = {\n",
	      to);
	for (unsigned i = 1; (d = glass_drop_desc(i)); i++) {
		fprintf(to, "  %s = ", d->name);
		put_string(to, d->advice);
		fputs(",\n", to);
	}
	fputs("}\n\n", to);
}

static const char head[] =
	"-- SPDX-License-Identifier: MIT\n"
	"-- What the Glass TCP/IP stack knows of each packet, as fields. Written by \"glass "
	"wireshark\"\n"
	"-- of version " GLASS_VERSION ", which also removes it: glass wireshark --uninstall.\n"
	"\n"
	"local glass = Proto(\"glass\", \"Glass: what the stack thinks of this packet\")\n"
	"\n";

/*
 * A word is name=value or name="value with blanks". That a retransmission was needless is said by a
 * later packet, so its own tree shows it when it is looked at again.
 */
static const char body[] =
	"local all = {}\n"
	"for _, field in pairs(fields) do all[#all + 1] = field[2] end\n"
	"glass.fields = all\n"
	"local experts = {\n"
	"  dropped = ProtoExpert.new(\"glass.expert.dropped\", \"The stack dropped this packet\",\n"
	"    expert.group.SEQUENCE, expert.severity.WARN),\n"
	"  again = ProtoExpert.new(\"glass.expert.again\", \"Sent again\",\n"
	"    expert.group.SEQUENCE, expert.severity.NOTE),\n"
	"}\n"
	"glass.experts = { experts.dropped, experts.again }\n"
	"\n"
	"local comments = Field.new(\"frame.comment\")\n"
	"local needless = {} -- number of a retransmission -> the frame that proves it needless\n"
	"\n"
	"function glass.init() needless = {} end\n"
	"\n"
	"local convert = {\n"
	"  STRING = function(v) return v end,\n"
	"  UINT32 = tonumber,\n"
	"  UINT64 = function(v) return UInt64.new(v) end,\n"
	"  BOOLEAN = function(v) return v == \"1\" end,\n"
	"}\n"
	"\n"
	"local function add(tree, name, value)\n"
	"  local field = fields[name]\n"
	"  local converted = field and convert[field[1]](value)\n"
	"  if converted == nil then return nil end\n"
	"  return tree:add(field[2], converted):set_generated()\n"
	"end\n"
	"\n"
	"local function tell(tree, pinfo, name, value, seen)\n"
	"  local item = add(tree, name, value)\n"
	"  if not item then return end\n"
	"  seen[name] = value\n"
	"  if name == \"drop\" then\n"
	"    item:add_proto_expert_info(experts.dropped, \"dropped: \" .. value)\n"
	"    if (advice[value] or \"\") ~= \"\" then item:append_text(\" (\" .. advice[value] .. "
	"\")\") end\n"
	"  elseif name == \"retransmission\" then\n"
	"    item:add_proto_expert_info(experts.again, \"sent again: \" .. value)\n"
	"  elseif name == \"proves_spurious\" then\n"
	"    needless[tonumber(value)] = pinfo.number\n"
	"  end\n"
	"end\n"
	"\n"
	"local function words(text)\n"
	"  local at = 1\n"
	"  return function()\n"
	"    local first, last, name, value = text:find('glass%.([%w_%.]+)=\"([^\"]*)\"', at)\n"
	"    local first2, last2, name2, value2 = text:find('glass%.([%w_%.]+)=([^%s\"]+)', at)\n"
	"    if first2 and (not first or first2 < first) then\n"
	"      first, last, name, value = first2, last2, name2, value2\n"
	"    end\n"
	"    if not first then return nil end\n"
	"    at = last + 1\n"
	"    return name, value\n"
	"  end\n"
	"end\n"
	"\n"
	"function glass.dissector(_, pinfo, root)\n"
	"  for _, comment in ipairs({ comments() }) do\n"
	"    local text = tostring(comment.value)\n"
	"    if text:sub(1, 6) == \"glass.\" then\n"
	"      local tree, seen = root:add(glass), {}\n"
	"      for name, value in words(text) do tell(tree, pinfo, name, value, seen) end\n"
	"      tree:append_text(\": \" .. (seen.verdict or \"\") .. (seen.drop and \" \" .. "
	"seen.drop or \"\"))\n"
	"      if seen.retransmission and needless[tonumber(seen.packet)] then\n"
	"        add(tree, \"spurious\", \"1\")\n"
	"      end\n"
	"    end\n"
	"  end\n"
	"end\n"
	"\n"
	"register_postdissector(glass)\n";

void wireshark_lua(FILE *to)
{
	fputs(head, to);
	put_fields(to);
	put_advice(to);
	fputs(body, to);
}
