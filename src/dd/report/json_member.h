// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "dd/core/json.h"

namespace dd::report {

/// What a record says under `key`; null where it says nothing, or is no object. (The library's own
/// value() throws for what is no object, and anyone may have written a record.)
inline Json member(const Json& record, const std::string& key) {
  return record.is_object() ? record.value(key, Json()) : Json();
}

}  // namespace dd::report
