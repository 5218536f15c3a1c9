//! What both versions of the interface have in the same words. Their generated types are not the
//! same, so it is written out for each.

/// What an interface has in both versions. It is written where `store`, `atomics` and `batch` are
/// those of one of them.
macro_rules! shared {
    (store) => {
        pub(super) fn add_to_linker<T: 'static>(
            linker: &mut Linker<T>,
            view: fn(&mut T) -> View<'_>,
        ) -> wasmtime::Result<()> {
            store::add_to_linker::<_, HasView>(linker, view)?;
            atomics::add_to_linker::<_, HasView>(linker, view)?;
            batch::add_to_linker::<_, HasView>(linker, view)
        }

        impl store::Host for View<'_> {
            fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Failure> {
                Ok(self.table.push(self.stores.open(&identifier)?)?)
            }

            fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<store::Error> {
                Ok(match failure {
                    Failure::AccessDenied => store::Error::AccessDenied,
                    Failure::Other(reason) => store::Error::Other(reason),
                })
            }
        }
    };
    (bucket) => {
        fn get(
            &mut self,
            bucket: Resource<Bucket>,
            key: String,
        ) -> Result<Option<Vec<u8>>, Failure> {
            Ok(self.table.get(&bucket)?.get(&key))
        }

        fn set(
            &mut self,
            bucket: Resource<Bucket>,
            key: String,
            value: Vec<u8>,
        ) -> Result<(), Failure> {
            self.table.get(&bucket)?.set(key, value)
        }

        fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<(), Failure> {
            self.table.get(&bucket)?.delete(&key);
            Ok(())
        }

        fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<bool, Failure> {
            Ok(self.table.get(&bucket)?.exists(&key))
        }

        fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
            self.table.delete(bucket)?;
            Ok(())
        }
    };
    (batch) => {
        fn set_many(
            &mut self,
            bucket: Resource<Bucket>,
            entries: Vec<(String, Vec<u8>)>,
        ) -> Result<(), Failure> {
            let bucket = self.table.get(&bucket)?;
            entries.into_iter().try_for_each(|(key, value)| bucket.set(key, value))
        }

        fn delete_many(
            &mut self,
            bucket: Resource<Bucket>,
            keys: Vec<String>,
        ) -> Result<(), Failure> {
            let bucket = self.table.get(&bucket)?;
            keys.iter().for_each(|key| bucket.delete(key));
            Ok(())
        }
    };
}
