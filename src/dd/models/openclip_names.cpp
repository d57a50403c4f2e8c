// SPDX-License-Identifier: Apache-2.0
#include "dd/models/openclip_names.h"

#include <array>
#include <utility>

namespace dd::models {
namespace {

struct Pair {
  const char* ours;
  const char* theirs;
};
constexpr std::array<Pair, 5> kLayer{{{"layer_norm1", "ln_1"},
                                      {"self_attn.out_proj", "attn.out_proj"},
                                      {"layer_norm2", "ln_2"},
                                      {"mlp.fc1", "mlp.c_fc"},
                                      {"mlp.fc2", "mlp.c_proj"}}};
constexpr std::array kFused{"q_proj", "k_proj", "v_proj"};
constexpr std::array<Pair, 3> kText{
    {{"embeddings.token_embedding", "token_embedding"},
     {"embeddings.position_embedding.weight", "positional_embedding"},
     {"final_layer_norm", "ln_final"}}};

}  // namespace

void add_openclip_layers(NameTable& table, std::int64_t layers, const std::string& ours,
                         const std::string& theirs) {
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string our_layer = ours + std::to_string(i) + '.';
    const std::string their_layer = theirs + std::to_string(i) + '.';
    for (const Pair& pair : kLayer) table.add(our_layer + pair.ours, their_layer + pair.theirs);
    for (std::size_t part = 0; part < kFused.size(); ++part) {
      for (const std::string kind : {"weight", "bias"}) {
        table.add(our_layer + "self_attn." + kFused[part] + '.' + kind,
                  {their_layer + "attn.in_proj_" + kind, static_cast<std::int64_t>(part),
                   static_cast<std::int64_t>(kFused.size())});
      }
    }
  }
}

NameTable openclip_text_names(std::int64_t layers, const std::string& ours,
                              const std::string& theirs) {
  NameTable table;
  for (const Pair& pair : kText) table.add(ours + pair.ours, theirs + pair.theirs);
  add_openclip_layers(table, layers, ours + "encoder.layers.", theirs + "transformer.resblocks.");
  return table;
}

}  // namespace dd::models
