// The three passes. Tiles are dealt out evenly among the threads; each takes groups of them from the transform to the
// result, so that what lies between stays in its second-level cache.
#include "kernels/cpu/winograd.h"

#include "kernels/cpu/onednn.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/prefetch.h"
#include "kernels/cpu/threads.h"
#include "kernels/cpu/winograd_tiles.h"
#include "kernels/cpu/winograd_weights.h"
#include "kernels/error.h"

namespace retort::cpu::winograd {
namespace {

using onednn::Pieces;

constexpr int kMaxGroup = 24;  // tiles; one channel block of them at one nu has 9 KiB or less

/// How one pass is divided. In and out are those of the pass: the data gradient goes from out_channels to in_channels.
struct Plan {
  Images images;
  std::int64_t in, out;  ///< blocks of channels
  std::int64_t parts;    ///< of all tiles, one a thread
  std::int64_t group;    ///< tiles that a thread works on at a time, a multiple of kSums

  Plan(const Conv2dShape& s, int in_channels, int out_channels, std::int64_t min_tiles, std::int64_t group_tiles)
      : images{s.batch, s.height, s.width}, in(in_channels / kLanes), out(out_channels / kLanes), group(group_tiles) {
    parts = std::clamp<std::int64_t>(images.tiles() / min_tiles, 1, threads());
  }

  std::int64_t begin(std::int64_t part) const { return images.tiles() * part / parts; }
  /// About how many pixels the tiles before this one have.
  std::int64_t pixels_before(std::int64_t tile) const {
    return images.batch * images.height * images.width * tile / images.tiles();
  }
  /// Fetches the pixels of some tiles, and as many lines of the image further down as their transform reads.
  template <bool kWrite>
  Prefetch<kWrite> prefetch(const float* images_data, std::int64_t blocks, std::int64_t tile, std::int64_t count,
                            std::int64_t calls) const {
    const std::int64_t ahead = kWrite ? 0 : images.width;
    const std::int64_t pixels = images.batch * images.height * images.width;
    const std::int64_t begin = std::min(pixels, pixels_before(tile) + ahead);
    const std::int64_t end = std::min(pixels, pixels_before(tile + count) + ahead);
    return {images_data + begin * blocks * kLanes, (end - begin) * blocks * kLanes, calls};
  }
  /// Fetches what is added to the outputs of some tiles; null: nothing.
  Prefetch<false> prefetch_residual(const float* residual, std::int64_t tile, std::int64_t count,
                                    std::int64_t calls) const {
    if (residual == nullptr) return {nullptr, 0, 1};
    const std::int64_t begin = pixels_before(tile);
    const std::int64_t pixels = pixels_before(tile + count) - begin;
    return {residual + begin * out * kLanes, pixels * out * kLanes, calls};
  }
  std::int64_t zeros() const { return images.width * in * kLanes; }
  std::int64_t weights() const { return kPoints * kPoints * in * out * kPairFloats; }
  std::int64_t inputs() const { return TileBuffer::floats(group, in); }
  std::int64_t outputs() const { return TileBuffer::floats(group, out); }
  std::int64_t products() const { return TileBuffer::floats(group, 2); }

  /// Calls body(part, first tile, tiles) for every group.
  template <typename Body>
  void for_groups(const Body& body) const {
    for_each_chunk(parts, [&](std::int64_t part) {
      const std::int64_t end = begin(part + 1);
      for (std::int64_t tile = begin(part); tile < end; tile += group) body(part, tile, std::min(group, end - tile));
    });
  }
};

float* take(Pieces& pieces, std::int64_t floats) {
  return static_cast<float*>(pieces.take(static_cast<std::size_t>(floats) * sizeof(float)));
}

/// The workspace of a forward pass or a data gradient.
struct ProductScratch {
  float *zeros, *weights, *inputs, *products;

  ProductScratch(const Plan& plan, Pieces& pieces)
      : zeros(take(pieces, plan.zeros())),
        weights(take(pieces, plan.weights())),
        inputs(take(pieces, plan.parts * plan.inputs())),
        products(take(pieces, plan.parts * plan.products())) {}
};

/// The workspace of a filter gradient.
struct FilterScratch {
  float *zeros, *inputs, *outputs, *sums;
  double* bias;

  FilterScratch(const Plan& plan, Pieces& pieces)
      : zeros(take(pieces, plan.zeros())),
        inputs(take(pieces, plan.parts * plan.inputs())),
        outputs(take(pieces, plan.parts * plan.outputs())),
        sums(take(pieces, plan.parts * plan.weights())),
        bias(static_cast<double*>(
            pieces.take(static_cast<std::size_t>(plan.parts * plan.out) * kLanes * sizeof(double)))) {}
};

Plan plan_product(const Conv2dShape& s, int in_channels, int out_channels) {
  constexpr std::int64_t kMinTiles = 4;          // a part
  constexpr std::int64_t kGroupFloats = 131072;  // of transformed input, which stays in the second-level cache
  const std::int64_t fitting = kGroupFloats / (kPoints * kPoints * in_channels) / kSums * kSums;
  return {s, in_channels, out_channels, kMinTiles, std::clamp<std::int64_t>(fitting, kSums, kMaxGroup)};
}
Plan plan_forward(const Conv2dShape& s) {
  return plan_product(s, s.in_channels, s.out_channels);
}
Plan plan_data(const Conv2dShape& s) {
  return plan_product(s, s.out_channels, s.in_channels);
}
Plan plan_filter(const Conv2dShape& s) {
  constexpr std::int64_t kMinTiles = 16;  // fewer would be outweighed by adding up the parts' sums
  return {s, s.in_channels, s.out_channels, kMinTiles, kMaxGroup};
}

template <typename Scratch>
Scratch lay_out(const Plan& plan, const Launch& launch) {
  Pieces pieces(launch.workspace);
  const Scratch scratch(plan, pieces);
  RETORT_CHECK_AS(ErrorKind::internal, pieces.needed() <= launch.workspace_bytes, "a workspace of ",
                  launch.workspace_bytes, " bytes where a Winograd convolution needs ", pieces.needed());
  return scratch;
}

template <typename Scratch>
std::size_t bytes_of(const Plan& plan) {
  Pieces pieces(nullptr);
  const Scratch scratch(plan, pieces);
  return pieces.needed();
}

/// The products of a group of tiles with kVectors blocks of output channels. Calls between() now and then.
template <int kVectors, typename Between>
void multiply_all(const TileBuffer& inputs, const float* weights, std::int64_t out_blocks, std::int64_t out_block,
                  std::int64_t tiles, const TileBuffer& products, const Between& between) {
  constexpr int kTiles = kSums / kVectors;
  const std::int64_t weight_stride = inputs.blocks * kPairFloats;
  for (int nu = 0; nu < kPoints; ++nu) {
    for (int xi = 0; xi < kPoints; ++xi) {
      const float* weight = weights + ((nu * kPoints + xi) * out_blocks + out_block) * weight_stride;
      for (std::int64_t tile = 0; tile < tiles; tile += kTiles) {
        between();
        multiply<kTiles, kVectors>(inputs.at(nu, 0, tile) + xi * kLanes, inputs.block_stride(), weight, weight_stride,
                                   static_cast<int>(inputs.blocks), products.at(nu, 0, tile) + xi * kLanes,
                                   products.block_stride());
      }
    }
  }
}

/// What the results of a convolution get before they are written. Null: nothing.
struct Epilogue {
  const float* bias = nullptr;
  const float* residual = nullptr;
  bool relu = false;
};

/// Calls body(has residual, has ReLU), both integral constants.
template <typename Body>
void with_epilogue(const Epilogue& epilogue, const Body& body) {
  const auto with_relu = [&](auto residual) {
    if (epilogue.relu) return body(residual, std::true_type());
    return body(residual, std::false_type());
  };
  if (epilogue.residual != nullptr) return with_relu(std::true_type());
  with_relu(std::false_type());
}

/// The forward pass, or the data gradient, once the weights are transformed.
void convolve(const Plan& plan, const ProductScratch& scratch, const float* x, const Epilogue& epilogue, float* y) {
  std::fill_n(scratch.zeros, plan.zeros(), 0.0F);
  plan.for_groups([&](std::int64_t part, std::int64_t first, std::int64_t tiles) {
    const TileBuffer inputs{scratch.inputs + part * plan.inputs(), plan.group, plan.in};
    for_runs(plan.images, first, first + tiles,
             [&](const Run& run) { transform_input(plan.images, x, scratch.zeros, run, inputs); });
    const TileBuffer products{scratch.products + part * plan.products(), plan.group, 2};
    // Computing hides the way to memory: of the outputs of this group, and of the inputs of the next one. About the
    // right lines are good enough.
    const std::int64_t calls = plan.group / kSums * kPoints * kPoints;
    auto prefetch_output = plan.prefetch<true>(y, plan.out, first, tiles, calls);
    auto prefetch_input = plan.prefetch<false>(x, plan.in, first + tiles, plan.group, calls * plan.out);
    auto prefetch_residual = plan.prefetch_residual(epilogue.residual, first, tiles, calls);
    const auto prefetch = [&] {
      prefetch_output();
      prefetch_input();
      prefetch_residual();
    };
    for (std::int64_t block = 0; block < plan.out; block += 2) {
      const int vectors = block + 1 < plan.out ? 2 : 1;
      if (vectors == 2) {
        multiply_all<2>(inputs, scratch.weights, plan.out, block, tiles, products, prefetch);
      } else {
        multiply_all<1>(inputs, scratch.weights, plan.out, block, tiles, products, prefetch);
      }
      for (int v = 0; v < vectors; ++v) {
        const std::int64_t channel = (block + v) * kLanes;
        Vector offset = {};
        if (epilogue.bias != nullptr) load(offset, epilogue.bias + channel);
        with_epilogue(epilogue, [&](auto residual, auto relu) {
          for_runs(plan.images, first, first + tiles, [&](const Run& run) {
            transform_output<residual(), relu()>(plan.images, products, v, run, offset, epilogue.residual, y,
                                                 plan.out * kLanes, channel);
          });
        });
      }
    }
  });
}

/// Adds a group's outer products to the sums of all pairs of channel blocks. Calls between() now and then.
template <typename Between>
void accumulate(const TileBuffer& inputs, const TileBuffer& outputs, std::int64_t tiles, float* sums,
                const Between& between) {
  constexpr std::int64_t kPair = kPoints * kPoints * kPairFloats;
  for (int nu = 0; nu < kPoints; ++nu) {
    for (std::int64_t in = 0; in < inputs.blocks; ++in) {
      for (std::int64_t out = 0; out < outputs.blocks; out += 2) {
        for (int xi = 0; xi < kPoints; ++xi) {
          between();
          const float* v = inputs.at(nu, in, 0) + xi * kLanes;
          const float* z = outputs.at(nu, out, 0) + xi * kLanes;
          float* to = sums + (in * outputs.blocks + out) * kPair + (nu * kPoints + xi) * kPairFloats;
          if (out + 1 < outputs.blocks) {
            for (int row = 0; row < kLanes; row += kRows) {
              add_outer_products<kRows, 2>(v + row, z, outputs.block_stride(), tiles, to + row * kLanes, kPair);
            }
          } else {
            constexpr int kAll = std::min(2 * kRows, kLanes);
            for (int row = 0; row < kLanes; row += kAll) {
              add_outer_products<kAll, 1>(v + row, z, 0, tiles, to + row * kLanes, 0);
            }
          }
        }
      }
    }
  }
}

}  // namespace

std::size_t workspace(const Conv2dShape& s) {
  return std::max({bytes_of<ProductScratch>(plan_forward(s)), bytes_of<ProductScratch>(plan_data(s)),
                   bytes_of<FilterScratch>(plan_filter(s))});
}

void forward(const Launch& launch, const Conv2dShape& s, const float* x, const float* weight, const float* bias,
             float* y) {
  const Plan plan = plan_forward(s);
  const auto scratch = lay_out<ProductScratch>(plan, launch);
  transform_weights(weight, s.in_channels, s.out_channels, scratch.weights);
  convolve(plan, scratch, x, {bias}, y);
}

void fused(const Launch& launch, const FusedConvolution& s, const float* x, const float* weight, const float* bias,
           const float* residual, float* y) {
  const Plan plan = plan_forward(s.conv);
  const auto scratch = lay_out<ProductScratch>(plan, launch);
  transform_weights(weight, s.conv.in_channels, s.conv.out_channels, scratch.weights);
  convolve(plan, scratch, x, {bias, s.residual ? residual : nullptr, s.relu}, y);
}

void backward_data(const Launch& launch, const Conv2dShape& s, const float* dy, const float* weight, float* dx) {
  const Plan plan = plan_data(s);
  const auto scratch = lay_out<ProductScratch>(plan, launch);
  transform_turned_weights(weight, s.in_channels, s.out_channels, scratch.weights);
  convolve(plan, scratch, dy, {}, dx);
}

void backward_filter(const Launch& launch, const Conv2dShape& s, const float* x, const float* dy, float* dweight,
                     float* dbias) {
  const Plan plan = plan_filter(s);
  const auto scratch = lay_out<FilterScratch>(plan, launch);
  std::fill_n(scratch.zeros, plan.zeros(), 0.0F);
  const std::int64_t bias_stride = plan.out * kLanes;
  plan.for_groups([&](std::int64_t part, std::int64_t first, std::int64_t tiles) {
    const TileBuffer inputs{scratch.inputs + part * plan.inputs(), plan.group, plan.in};
    const TileBuffer outputs{scratch.outputs + part * plan.outputs(), plan.group, plan.out};
    float* sums = scratch.sums + part * plan.weights();
    double* bias = scratch.bias + part * bias_stride;
    if (first == plan.begin(part)) {
      std::fill_n(sums, plan.weights(), 0.0F);
      std::fill_n(bias, bias_stride, 0.0);
    }
    for_runs(plan.images, first, first + tiles, [&](const Run& run) {
      transform_input(plan.images, x, scratch.zeros, run, inputs);
      transform_output_gradient(plan.images, dy, run, outputs);
      if (dbias != nullptr) add_pixels(plan.images, dy, run, plan.out, bias);
    });
    const std::int64_t calls = kPoints * kPoints * plan.in * ((plan.out + 1) / 2);
    auto prefetch_input = plan.prefetch<false>(x, plan.in, first + tiles, plan.group, calls);
    auto prefetch_gradient = plan.prefetch<false>(dy, plan.out, first + tiles, plan.group, calls);
    accumulate(inputs, outputs, tiles, sums, [&] {
      prefetch_input();
      prefetch_gradient();
    });
  });
  transform_weight_gradient(scratch.sums, plan.parts, s.in_channels, s.out_channels, dweight);
  if (dbias == nullptr) return;
  for (std::int64_t k = 0; k < bias_stride; ++k) {
    double sum = 0;
    for (std::int64_t part = 0; part < plan.parts; ++part) sum += scratch.bias[part * bias_stride + k];
    dbias[k] = static_cast<float>(sum);
  }
}

}  // namespace retort::cpu::winograd
