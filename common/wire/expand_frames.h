// Includes frames.def with the words that the includer has defined: the others expand to nothing,
// NUMBER and TEXT to TYPE, INSTEAD to REAL, that to FIELD, BATCH to LIST, OPTIONAL to WHEN. Behind
// it none is defined any more. It is included many times, so that it has no guard.

#ifndef TYPE
#define TYPE(type, c_type)
#endif
#ifndef TEXT
#define TEXT(type) TYPE(type, mm_str_t)
#endif
#ifndef NUMBER
#define NUMBER(type, c_type) TYPE(type, c_type)
#endif
#ifndef PLAIN
#define PLAIN(item, type, low, high)
#endif
#ifndef ITEM
#define ITEM(item)
#endif
#ifndef END_ITEM
#define END_ITEM
#endif
#ifndef BODY
#define BODY(body)
#endif
#ifndef END_BODY
#define END_BODY
#endif
#ifndef FRAME
#define FRAME(number, KIND, body, route)
#endif
#ifndef FIELD
#define FIELD(type, member, name, low, high)
#endif
#ifndef OWNS
#define OWNS(c_type, member)
#endif
#ifndef PART
#define PART(member)
#endif
#ifndef REAL
#define REAL(type, member, name, low, high) FIELD(type, real->member, name, low, high)
#endif
#ifndef INSTEAD
#define INSTEAD(type, member, name, low, high) REAL(type, member, name, low, high)
#endif
#ifndef PAIRS
#define PAIRS(member, count, name, max, key_max, value_max)
#endif
#ifndef ATTRIBUTES
#define ATTRIBUTES(member, name)
#endif
#ifndef LIST
#define LIST(item, member, count, name)
#endif
#ifndef BATCH
#define BATCH(item, member, count, name) LIST(item, member, count, name)
#endif
#ifndef WHEN
#define WHEN(label, condition)
#endif
#ifndef OPTIONAL
#define OPTIONAL(condition) WHEN("optional", condition)
#endif
#ifndef END_WHEN
#define END_WHEN
#endif
#ifndef DERIVED
#define DERIVED(c_type, member, value)
#endif

#include "frames.def"

#undef TYPE
#undef TEXT
#undef NUMBER
#undef PLAIN
#undef ITEM
#undef BODY
#undef END_ITEM
#undef END_BODY
#undef FRAME
#undef FIELD
#undef OWNS
#undef PART
#undef REAL
#undef INSTEAD
#undef PAIRS
#undef ATTRIBUTES
#undef LIST
#undef BATCH
#undef WHEN
#undef OPTIONAL
#undef END_WHEN
#undef DERIVED
