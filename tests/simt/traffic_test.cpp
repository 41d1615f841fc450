// How often the shipped kernels go over memory, counted: sectors that they ask for, over the bytes of one operand. A
// change that adds a pass, or breaks up the accesses of a warp, shows here without a GPU.
#include "tests/simt/traffic.h"

#include <cmath>
#include <functional>

#include "tests/simt/backend.h"
#include "tests/support/buffer.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

/// Passes of `work` over an operand of so many bytes; says and bounds them. `passes` is what its operands ask for, each
/// read or written so often as the algorithm has to; what the rest may add are sums, coefficients, edges of rows.
void check_passes(const std::string& what, double operand_bytes, double passes, double rest,
                  const std::function<void()>& work) {
  const ::simt::Traffic traffic = ::simt::traffic_of(work);
  const double counted = traffic.sector_bytes() / operand_bytes;
  MESSAGE(what << ": " << counted << " passes, " << passes << " needed; "
               << 100 * static_cast<double>(traffic.useful_bytes) / traffic.sector_bytes() << " % of the sectors used");
  CHECK_MESSAGE(counted >= passes * 0.99, what);
  CHECK_MESSAGE(counted <= passes * (1 + rest), what);
}

Buffer random(DType dtype, std::int64_t n, int seed) {
  return input(simt_backend(), dtype,
               random_values(static_cast<std::size_t>(n), static_cast<std::uint32_t>(seed), dtype));
}
Buffer unwritten(DType dtype, std::int64_t n) {
  return output(simt_backend(), dtype, static_cast<std::size_t>(n));
}
Buffer state_of(const StepState& host) {
  std::vector<std::uint8_t> raw(sizeof host);
  std::memcpy(raw.data(), &host, sizeof host);
  return {simt_backend(), DType::u8, raw, Buffer::Use::inout};
}
double bytes(DType dtype, std::int64_t n) {
  return static_cast<double>(size_of(dtype)) * static_cast<double>(n);
}
std::string with(const std::string& what, DType dtype) {
  return what + (dtype == DType::bf16 ? ", bf16" : ", fp32");
}

/// Two reads of x: the statistics have to be known before the first result.
/// The chunks are as short as they get: what each adds, a few samples and partial sums, weighs most here.
void batch_norm(DType dtype) {
  BatchNormShape shape;
  shape.rows = 4096;
  shape.channels = 32;
  shape.dtype = dtype;
  shape.relu = true;
  const std::int64_t n = shape.rows * shape.channels;
  const Buffer x = random(dtype, n, 1), residual = random(dtype, n, 2), dy = random(dtype, n, 3);
  const Buffer gamma = random(DType::f32, 32, 4), beta = random(DType::f32, 32, 5);
  const Buffer mean = unwritten(DType::f32, 32), rstd = unwritten(DType::f32, 32);
  const Buffer y = unwritten(dtype, n), dx = unwritten(dtype, n), dresidual = unwritten(dtype, n);
  const Buffer dgamma = unwritten(DType::f32, 32), dbeta = unwritten(DType::f32, 32);
  const Workspace workspace(simt_backend(), simt_backend().batch_norm_workspace(shape));

  BatchNormForward forward;
  forward.x = x.data();
  forward.gamma = gamma.f32();
  forward.beta = beta.f32();
  forward.save_mean = mean.f32();
  forward.save_rstd = rstd.f32();
  forward.y = y.data();
  const auto run = [&] { simt_backend().batch_norm_forward_training(workspace.launch(), shape, forward); };
  check_passes(with("batch norm + ReLU forward", dtype), bytes(dtype, n), 3, 0.2, run);
  forward.residual = residual.data();
  check_passes(with("batch norm + ReLU + add forward", dtype), bytes(dtype, n), 4, 0.15, run);

  BatchNormBackward backward;
  backward.dy = dy.data();
  backward.sum = x.data();
  backward.y = y.data();
  backward.gamma = gamma.f32();
  backward.save_mean = mean.f32();
  backward.save_rstd = rstd.f32();
  backward.dx = dx.data();
  backward.dgamma = dgamma.f32();
  backward.dbeta = dbeta.f32();
  const auto run_backward = [&] { simt_backend().batch_norm_backward_training(workspace.launch(), shape, backward); };
  check_passes(with("batch norm + ReLU backward", dtype), bytes(dtype, n), 7, 0.1, run_backward);
  backward.dresidual = dresidual.data();
  // The gradient behind the ReLU is written by the first pass and read by the second, in place of two operands.
  check_passes(with("batch norm + ReLU + add backward", dtype), bytes(dtype, n), 7, 0.1, run_backward);
}

void elementwise(DType dtype) {
  constexpr std::int64_t n = 1 << 15;
  const Buffer a = random(dtype, n, 1), b = random(dtype, n, 2), out = unwritten(dtype, n);
  check_passes(with("ReLU", dtype), bytes(dtype, n), 2, 0.01,
               [&] { simt_backend().relu_forward({}, dtype, n, a.data(), out.data()); });
  check_passes(with("add", dtype), bytes(dtype, n), 3, 0.01,
               [&] { simt_backend().add({}, dtype, n, a.data(), b.data(), out.data()); });
}

}  // namespace

TEST_CASE("traffic: batch norm's passes over memory") {
  batch_norm(DType::f32);
  batch_norm(DType::bf16);
}

TEST_CASE("traffic: elementwise kernels read and write each byte once") {
  elementwise(DType::f32);
  elementwise(DType::bf16);
}

TEST_CASE("traffic: SGD reads gradient, weight and momentum once and writes two of them") {
  constexpr std::int64_t n = 1 << 15;
  const Buffer master = random(DType::f32, n, 1), gradient = random(DType::f32, n, 2),
               momentum = random(DType::f32, n, 3);
  // Copies, for the update changes them.
  const Buffer weights(simt_backend(), DType::f32, master.bytes(), Buffer::Use::inout);
  const Buffer velocity(simt_backend(), DType::f32, momentum.bytes(), Buffer::Use::inout);
  StepState host;
  host.learning_rate = 0.1F;
  const Buffer state = state_of(host);
  ParameterRange range;
  range.n = n;
  range.master = weights.f32();
  range.gradient = gradient.data();
  range.momentum = velocity.f32();
  check_passes("SGD", bytes(DType::f32, n), 5, 0.12,
               [&] { simt_backend().sgd_update({}, range, false, static_cast<const StepState*>(state.data())); });
}

TEST_CASE("traffic: the distillation loss reads both logits once and writes the gradient") {
  constexpr int rows = 64, classes = 128;
  const Buffer student = random(DType::f32, rows * classes, 1), teacher = random(DType::f32, rows * classes, 2);
  const Buffer labels = input(simt_backend(), DType::i32, Values(rows, 3)),
               samples = input(simt_backend(), DType::i32, Values(rows, 5));
  const Buffer loss = unwritten(DType::f32, rows), confidence = unwritten(DType::f32, rows);
  const Buffer correct = unwritten(DType::i32, rows), participates = unwritten(DType::i32, rows);
  const Buffer gradient = unwritten(DType::f32, rows * classes);
  StepState host;
  host.divisor = rows;
  const Buffer state = state_of(host);
  LossRows out;
  out.loss = loss.f32();
  out.confidence = confidence.f32();
  out.correct = static_cast<std::int32_t*>(correct.data());
  out.participates = static_cast<std::int32_t*>(participates.data());
  check_passes("distillation loss", bytes(DType::f32, rows * classes), 3, 0.2, [&] {
    simt_backend().distillation_loss(
        {}, {}, {0.9F, 4}, rows, classes, student.f32(), teacher.f32(), static_cast<const std::int32_t*>(labels.data()),
        static_cast<const std::int32_t*>(samples.data()), nullptr, static_cast<const StepState*>(state.data()), out,
        nullptr, nullptr, gradient.f32());
  });
}

/// A warp reads a byte a lane and instruction, so that a sector of the image is asked for several times; the
/// first-level cache has it. Writes are whole.
TEST_CASE("traffic: augmentation reads each pixel once and writes it once") {
  constexpr int rows = 4;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    AugmentShape shape;
    shape.rows = rows;
    shape.height = shape.width = 32;
    shape.channels = shape.out_channels = 3;
    shape.dtype = dtype;
    const std::int64_t n = rows * 32 * 32 * 3;
    const Buffer images = input(simt_backend(), DType::u8, Values(static_cast<std::size_t>(n), 7));
    const Buffer samples = input(simt_backend(), DType::i32, {0, 1, 2, 3});
    const Buffer out = unwritten(dtype, n);
    const StepState host;
    const Buffer state = state_of(host);
    check_passes(with("augmentation", dtype), bytes(dtype, n), 1 + 1.0 / static_cast<double>(size_of(dtype)), 1.1, [&] {
      simt_backend().gather_augment({}, shape, static_cast<const std::uint8_t*>(images.data()),
                                    static_cast<const std::int32_t*>(samples.data()), {},
                                    static_cast<const StepState*>(state.data()), out.data());
    });
  }
}

}  // namespace retort::test
