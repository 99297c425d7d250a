package secret

import "reflect"

// Hidden returns a copy of a value with the set's secrets hidden in all its
// texts: in what is of type string itself, and not in names of fields or in
// types of a few known values. It is for what is shown now and then; it walks
// through all of the value.
func Hidden[T any](s *Set, value T) T {
	return hidden(s, reflect.ValueOf(&value).Elem()).Interface().(T)
}

func hidden(s *Set, v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			out.SetString(s.Hide(v.String()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(hidden(s, v.Field(i)))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(hidden(s, v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(hidden(s, v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for key, value := range v.Seq2() {
				out.SetMapIndex(hidden(s, key), hidden(s, value))
			}
		}
	}
	return out
}
