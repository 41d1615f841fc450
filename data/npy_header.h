// The header of a .npy file: a Python dictionary of three known keys.
#pragma once

#include <cctype>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/npz.h"
#include "kernels/error.h"

namespace retort {

class NpyHeader {
 public:
  NpyHeader(std::string text, const std::string& name) : text_(std::move(text)), name_(name) {}

  /// An array of this type and shape, still without its bytes.
  NpyArray parse() {
    NpyArray array;
    expect('{');
    while (!next_is('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        array.type = type_of(string());
      } else if (key == "fortran_order") {
        if (word() != "False") refuse("arrays in Fortran order are not read");
      } else if (key == "shape") {
        array.shape = shape();
      } else {
        refuse("unknown header");
      }
      if (!next_is(',')) {
        expect('}');
        break;
      }
    }
    return array;
  }

 private:
  static constexpr std::size_t kMostDimensions = 8;

  [[noreturn]] void refuse(const std::string& why) const { fail(ErrorKind::input, name_ + ": " + why); }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool next_is(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!next_is(wanted)) refuse("damaged header");
  }
  std::string string() {
    expect('\'');
    const std::size_t end = text_.find('\'', at_);
    if (end == std::string::npos) refuse("damaged header");
    const std::string found = text_.substr(at_, end - at_);
    at_ = end + 1;
    return found;
  }
  std::string word() {
    peek();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::int64_t number() {
    peek();
    std::int64_t value = 0;
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = 10 * value + (text_[at_] - '0');
      if (value > (std::int64_t{1} << 40)) refuse("an impossible shape");
    }
    if (at_ == begin) refuse("damaged header");
    return value;
  }
  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> extents;
    expect('(');
    while (!next_is(')')) {
      extents.push_back(number());
      if (extents.size() > kMostDimensions) refuse("too many dimensions");
      if (!next_is(',')) {
        expect(')');
        break;
      }
    }
    return extents;
  }
  NpyArray::Type type_of(const std::string& descr) const {
    static const std::map<std::string, NpyArray::Type> types = {{"<f4", NpyArray::Type::f32},
                                                                {"<f8", NpyArray::Type::f64},
                                                                {"|u1", NpyArray::Type::u8},
                                                                {"<i4", NpyArray::Type::i32},
                                                                {"<i8", NpyArray::Type::i64}};
    const auto found = types.find(descr);
    if (found == types.end()) refuse("type '" + printable(descr) + "' is not read, only f4, f8, u1, i4 and i8");
    return found->second;
  }

  std::string text_;
  std::size_t at_ = 0;
  const std::string& name_;
};

}  // namespace retort
