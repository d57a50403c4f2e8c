// SPDX-License-Identifier: Apache-2.0
#include "dd/models/name_table.h"

namespace dd::models {

void NameTable::add(const std::string& ours, TensorPlace theirs) {
  entries_.insert_or_assign(ours, std::move(theirs));
}

std::optional<TensorPlace> NameTable::find(const std::string& ours) const {
  for (std::size_t end = ours.size(); end != std::string::npos && end > 0;
       end = ours.rfind('.', end - 1)) {
    const auto found = entries_.find(ours.substr(0, end));
    if (found == entries_.end()) continue;
    TensorPlace place = found->second;
    place.name += ours.substr(end);
    return place;
  }
  return std::nullopt;
}

}  // namespace dd::models
